"""`textbackd setup`: from a bare box with a PBX to a configuration and a first real text.   command.py is where it begins."""
