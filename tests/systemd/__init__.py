"""The service as systemd reads it."""
