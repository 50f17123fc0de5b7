"""The parts of the `smpp` gateway, an *external short message entity* in SMPP's words: bytes, meaning, connection, inbox."""
