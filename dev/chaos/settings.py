"""The product's settings for a machine under fire; each session names its process.

A module of its own, so that the product has no switch for it.
"""

from __future__ import annotations

import os
from typing import Any

from django.db.backends.signals import connection_created

from config.settings import *  # noqa: F403 - these settings with one difference

# Seconds. A call may take 3 s at this scale (SUBMIT_TIMEOUT), and a restart of a dozen programs
# stops the machine for a while: leases of the usual 5 s would end under workers that live.
LEASE = 9.0
POLL_LEASE = 6.0


def name_session(connection: Any, **_: Any) -> None:
    """Tell PostgreSQL the process's number: dev/chaos/witness.py notes who claims what."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [str(os.getpid())])


connection_created.connect(name_session, dispatch_uid="chaos")
