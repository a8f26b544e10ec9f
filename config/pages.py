"""How pages are made, and which paths answer with none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# All else is a page's, also what does not exist: whoever mistypes an address is a person.
API_PATHS = ("/api/", "/media/", "/webhooks/", "/livez/", "/readyz/", "/metrics/")
CSRF_FAILURE_VIEW = "config.error_pages.csrf_failure"
# Not the default, which keeps them in a cookie that operators' and customers' pages would share.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).resolve().parent.parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.context.frame",
            ]
        },
    }
]
