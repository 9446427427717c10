"""An oracle: the read models computed a second time, set-wise, by SQL straight from the nine files.

It shares no code with the program, so that an error in either shows as a difference. `expected.py` says what is
assumed.
"""
