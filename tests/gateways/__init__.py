"""The gateways, each against a real peer: an HTTP sink, a modem on a pty."""
