"""What gunicorn is told the same by web (gunicorn.conf.py) and by the waiter (config/waiter.py)."""

from __future__ import annotations

import os

# The heartbeat file, without a name, must not be on a disk that can stall.
MEMORY = "/dev/shm"  # noqa: S108 - a file without a name cannot be opened
worker_tmp_dir = MEMORY if os.access(MEMORY, os.W_OK) else None
# Two checkouts would share the default path in the home folder.
control_socket_disable = True

# No header moves the path, the scheme or the address: Django reads our proxies' own (NUM_PROXIES).
# Trusted here, SCRIPT_NAME would lead round a proxy's rules about paths.
forwarder_headers = ""
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
proxy_protocol = "off"

# Its own lines look like ours, also while the application is not loaded yet.
logger_class = "config.gunicorn_logger.GunicornLogger"

# Seconds that an idle connection stays open. Clients and proxies have to be the ones that close it
# (Node after 4, httpx after 5, nginx after 60): what closes first meets the next request on its
# way, and a POST whose connection broke is not repeated by any library. gunicorn's own default, 2,
# is what many wait between two looks at a generation.
keepalive = 75
