"""What a first run finds, proposes and writes. The questions themselves are in cli/setup/.

asterisk.py, seen.py, place.py (what is here) → draft.py (the configuration as far as it is answered) → document.py (its text) → files.py
"""
