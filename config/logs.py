"""The logging of all processes; config/gunicorn_logger.py has gunicorn's."""

from __future__ import annotations

from typing import Any

# Their lower levels hold URLs with signatures, or headers.
TELL_TOO_MUCH = ("httpx", "httpcore", "google", "google_genai", "urllib3")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMATS = ("json", "console")


def logging_config(level: str, style: str) -> dict[str, Any]:
    """For ``logging.config.dictConfig``: one handler, at the root, whose formatter redacts."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "common.telemetry.log_lines.line_formatter", "style": style}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Named here, they lose the handlers of their own, which redact nothing.
        "loggers": {
            **{name: {"level": "WARNING"} for name in TELL_TOO_MUCH},
            "django": {"handlers": [], "level": level},
            "django.server": {"handlers": [], "propagate": True},
            "django.db.backends": {"level": "INFO"},  # DEBUG is every statement with its values
            "gunicorn.error": {"handlers": [], "propagate": True, "level": level},
            "gunicorn.access": {"handlers": [], "propagate": True, "level": "INFO"},
            # INFO is two lines for every tick
            "celery": {"level": "DEBUG" if level == "DEBUG" else "WARNING"},
        },
    }
