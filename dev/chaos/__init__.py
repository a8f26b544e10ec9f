"""The chaos driver: the whole product on real processes, under load, while all of it is killed.

``python -m dev.chaos --seconds 60 --seed 7`` ends with a line of JSON; exit code 1 for any
violation.
"""

# The window of a lost submission lasts 22 s at this scale, the deadline 45 s.
TIME_SCALE = 0.025
