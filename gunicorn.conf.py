"""What gunicorn reads by itself from the folder it starts in; its command line wins."""

from __future__ import annotations

import os

from config.logs import FORMATS, LEVELS, logging_config

# Until the application is loaded, and in the main process for good (without --preload it never
# loads it): the same lines as from everywhere else. A bad value is refused by config/settings.py.
_level = os.environ.get("LOG_LEVEL", "INFO")
_format = os.environ.get("LOG_FORMAT", "json")
logconfig_dict = logging_config(
    _level if _level in LEVELS else "INFO", _format if _format in FORMATS else "json"
)
