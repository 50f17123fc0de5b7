"""The parts of the `smstools` gateway: what its files say (messages), the folders that they are in (folders)."""
