"""The product's Celery application, with the guard removed that CHAOS_CONTROL names.

A module of its own, so that the product has no switch for it.
"""

from __future__ import annotations

import os

from config.celery import app

# imported by each worker like the tasks, once Django is set up
app.conf.include = [*(app.conf.include or ()), os.environ["CHAOS_CONTROL"]]
