"""The parts of the gateway through ModemManager."""
