"""The soak: the whole product on real processes under a steady load, measured for what grows.

``python -m dev.soak --seconds 600 --rate 2`` ends with a line of JSON; exit code 1 if anything did.
"""

TIME_SCALE = 0.05  # a video takes 2.3 s, the window of a lost submission 45 s, the deadline 90 s
