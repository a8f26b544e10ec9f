"""The chaos driver: the whole product on real processes, under load, while all of it is killed.

``python -m chaos --seconds 60 --seed 7`` ends with a line of JSON; exit code 1 for any violation.
"""

# A lease lasts 5 s at this scale, the window of a lost submission 22 s, the deadline 45 s.
TIME_SCALE = 0.025
