"""The empty view's settings: no middleware, no authentication, no database. Nothing is lower."""

from __future__ import annotations

SECRET_KEY = "only-for-a-benchmark-on-loopback"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "dev.benchmarks.floor"
INSTALLED_APPS = ["rest_framework"]
MIDDLEWARE: list[str] = []
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
