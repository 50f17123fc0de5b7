"""What is wrong with PBX, gateways and box, and the line that mends it.   config, store, pbx, gateways → here → cli/doctor.py

One file per subject, each with the same two halves: facts are gathered, which may block and changes nothing, and judged, which is
pure. Only the command line imports this.
"""
