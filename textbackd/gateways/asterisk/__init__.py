"""What the gateways that send through Asterisk itself share."""
