"""The product's Celery application on a host whose clock is wrong by CLOCK_SKEW seconds.

Every clock that Python asks for the time of day is moved, and none that measures durations, as
on a host with a wrong date. Nothing in the product knows of it.
"""

from __future__ import annotations

import os
import time

import time_machine

from config.celery import app

__all__ = ["app"]

time_machine.travel(time.time() + float(os.environ["CLOCK_SKEW"]), tick=True).start()
