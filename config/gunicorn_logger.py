"""gunicorn's own lines, also before the application is loaded; gunicorn.conf.py names the class."""

from __future__ import annotations

import os
from logging.config import dictConfig
from typing import Any

from gunicorn.glogging import Logger

from config.logs import FORMATS, LEVELS, logging_config


class GunicornLogger(Logger):  # type: ignore[misc]  # it is not annotated
    """gunicorn's, whose lines are ours: the main process loads no settings without --preload.

    Not by ``logconfig_dict``: that would switch on its access log, which we have one in place of.
    """

    def setup(self, cfg: Any) -> None:
        """Take its handlers away. A bad value is refused by config/settings.py, by name."""
        super().setup(cfg)
        level, style = os.environ.get("LOG_LEVEL"), os.environ.get("LOG_FORMAT")
        dictConfig(
            logging_config(
                level if level in LEVELS else "INFO", style if style in FORMATS else "json"
            )
        )
