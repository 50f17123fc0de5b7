"""Real Asterisks (asterisk.py), SIPp as callers and phones (sipp.py), and named calls between them (scenarios.py).

A test takes the fixture `asterisk`, `asterisk16` or `asterisk22` of fixtures.py and plays a scenario:

    def test_a_miss_is_seen(asterisk: Asterisk) -> None:
        play(SCENARIOS["direct_noanswer"], asterisk)
"""
