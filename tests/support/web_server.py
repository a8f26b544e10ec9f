"""HTTP servers in a test's process, which as many may call at once as production's."""

from __future__ import annotations

import socketserver
from http.server import ThreadingHTTPServer

from django.core.servers.basehttp import ThreadedWSGIServer

# As Gunicorn's socket in dev/embedded. Python gives 5 and Django 10: of more who call at once some
# are sent away by a reset, when the machine is too busy to take them in.
BACKLOG = 512


class _Patient(socketserver.TCPServer):
    request_queue_size = BACKLOG


class AppServer(_Patient, ThreadedWSGIServer):
    """Serves a WSGI application, each connection in a thread of its own."""


class StandInServer(_Patient, ThreadingHTTPServer):
    """Serves what a test makes up of somebody else."""
