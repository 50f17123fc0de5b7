"""The parts of the `gsm_modem` gateway: the wire (pdu, link), what answers mean (verdicts), who may ask (owner)."""
