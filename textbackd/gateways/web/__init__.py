"""What gateways that speak HTTP share: one request and what it proves (exchange), what answers mean, the gateway around a dialect."""
