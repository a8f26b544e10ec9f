"""All settings, from the environment alone. README.md has the table; every default is safe."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from config.env import Env, environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = Env(environment(BASE_DIR))

# --- Django ---------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if DEBUG:
        # Only ever signs links of a stack on this machine; stable over restarts, so links survive.
        SECRET_KEY = "insecure-" + hashlib.sha256(str(BASE_DIR).encode()).hexdigest()
    else:
        env.problems.append("SECRET_KEY: must be set (50 random characters or more)")
        SECRET_KEY = "unset"  # noqa: S105 - env.finish() stops the start
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL").rstrip("/")
# How many of our own proxies stand before us and append to X-Forwarded-For.
NUM_PROXIES = env.integer("NUM_PROXIES", 0)
HTTPS = env.flag("HTTPS", not DEBUG)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "common",
    "accounts",
    "credits",
    "generation",
]
MIDDLEWARE = [
    "common.request_id.RequestIdMiddleware",
    "common.errors.ErrorShapeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.slash.OptionalSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a redirected POST loses its body; OptionalSlashMiddleware answers both
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # contract section 6; BodyLimit holds it for chunked too

# --- Database and broker --------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database("DATABASE_URL", "postgresql:///reelmint?host=/var/run/postgresql"),
        "CONN_MAX_AGE": env.integer("DATABASE_CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 3,
    # nothing by itself, but what common/statement.py asks for
    "prepare_threshold": 1_000_000_000,
} | DATABASES["default"]["OPTIONS"]
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")

# --- Accounts -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
REGISTRATION_OPEN = env.flag("REGISTRATION_OPEN", True)
SIGNUP_CREDITS = env.integer("SIGNUP_CREDITS", 0)
MAX_OPEN_GENERATIONS = env.integer("MAX_OPEN_GENERATIONS", 50, least=1)  # an account, contract 6
RATE_LIMIT_CREATES = env.integer("RATE_LIMIT_CREATES", 60, least=1)  # a minute an account
RATE_LIMIT_READS = env.integer("RATE_LIMIT_READS", 600, least=1)  # a minute an account
RATE_LIMIT_ANONYMOUS = env.integer("RATE_LIMIT_ANONYMOUS", 120, least=1)  # a minute an address
RATE_LIMIT_AUTH_FAILURES = env.integer("RATE_LIMIT_AUTH_FAILURES", 20, least=1)  # a minute
RATE_LIMIT_LOGINS = env.integer("RATE_LIMIT_LOGINS", 5, least=1)  # a minute a name and address
RATE_LIMIT_REGISTRATIONS = env.integer("RATE_LIMIT_REGISTRATIONS", 20, least=1)  # an hour

# --- The provider ---------------------------------------------------------------------------------
VERTEX_BASE_URL = env.text("VERTEX_BASE_URL").rstrip("/")  # empty = Google itself
STORAGE_BASE_URL = env.text("STORAGE_BASE_URL").rstrip("/")  # empty = the same, or Google
ALLOW_EMULATOR = env.flag("ALLOW_EMULATOR", DEBUG)
GOOGLE_CLOUD_PROJECT = env.text("GOOGLE_CLOUD_PROJECT")
GOOGLE_CLOUD_LOCATION = env.text("GOOGLE_CLOUD_LOCATION", "us-central1")
OUTPUT_BUCKET = env.text("OUTPUT_BUCKET")  # where the provider writes
PROVIDER_MODELS = {
    "veo3_fast": env.text("VEO3_FAST_PROVIDER_MODEL", "veo-3.1-fast-generate-001"),
    "veo3": env.text("VEO3_PROVIDER_MODEL", "veo-3.1-generate-001"),
    "image": env.text("IMAGE_PROVIDER_MODEL", "gemini-3.1-flash-image"),
}
SOURCE_IMAGE_ALLOWED_ORIGINS = frozenset(env.words("SOURCE_IMAGE_ALLOWED_ORIGINS"))

# --- Time (design.md, decision 17), in seconds ----------------------------------------------------
TIME_SCALE = env.number("TIME_SCALE", 1.0)
DEADLINE = 1800 * TIME_SCALE
UNKNOWN_WINDOW = 900 * TIME_SCALE
# A real machine answers in real time, however fast a demo's clock runs: hence the least values.
SUBMIT_TIMEOUT = max(60 * TIME_SCALE, 3.0)
READ_TIMEOUT = max(20 * TIME_SCALE, 3.0)
FETCH_TIMEOUT = max(60 * TIME_SCALE, 3.0)
# Longer than any call under it: 60 s + 10 s, and fetching plus decoding source images (40 s).
LEASE = max(90 * TIME_SCALE, 5.0)
# A poll takes 20 s at most; whoever comes too late after it has only read.
POLL_LEASE = max(35 * TIME_SCALE, 5.0)

# --- Outputs --------------------------------------------------------------------------------------
OUTPUT_STORAGE = env.choice("OUTPUT_STORAGE", "local", ("local", "gcs"))
OUTPUT_ROOT = Path(env.text("OUTPUT_ROOT", str(VAR_DIR / "outputs")))
OUTPUT_GCS_BUCKET = env.text("OUTPUT_GCS_BUCKET")
WORK_DIR = Path(env.text("WORK_DIR", str(VAR_DIR / "work")))
# From a generation's end, in days; 0 = kept for ever. An account may have its own numbers.
OUTPUT_RETENTION_DAYS = env.integer("OUTPUT_RETENTION_DAYS", 90)
PROMPT_RETENTION_DAYS = env.integer("PROMPT_RETENTION_DAYS", 365)
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "generation.storage.AtomicFileSystemStorage",
        "OPTIONS": {"location": str(OUTPUT_ROOT)},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if OUTPUT_STORAGE == "gcs":
    STORAGES["default"] = {
        "BACKEND": "storages.backends.gcloud.GoogleCloudStorage",
        "OPTIONS": {
            "bucket_name": OUTPUT_GCS_BUCKET,
            "file_overwrite": True,  # the key is the generation's: a second upload is the same file
            "querystring_auth": True,
        },
    }
STATIC_URL = "static/"
# Where collectstatic puts them (the image does that); a checkout serves them from where they are.
STATIC_ROOT = env.text("STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None

# --- The API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SecretAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasAccount"],
    "DEFAULT_PARSER_CLASSES": ["common.json_body.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "common.negotiation.JsonOnly",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.AccountThrottle"],
    "DEFAULT_SCHEMA_CLASS": "common.openapi.ContractSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "common.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Reelmint API",
    "DESCRIPTION": (BASE_DIR / "templates" / "api_introduction.md").read_text(),
    "VERSION": "1.0.0",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "TAGS": [
        {"name": name} for name in ("Generations", "Models", "Credits", "API keys", "Account")
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "common.openapi.add_shared_parts",
    ],
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without this it would ask validator.swagger.io about the schema.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

# --- Security -------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^livez/?$", r"^readyz/?$"]
if NUM_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_ENGINE = "accounts.sessions"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
# Their lower levels hold URLs with signatures, or headers.
_TELL_TOO_MUCH = ("httpx", "httpcore", "google", "google_genai", "urllib3")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "common.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Named here, they lose the handlers of their own, which redact nothing.
    "loggers": {
        **{name: {"level": "WARNING"} for name in _TELL_TOO_MUCH},
        "django": {"handlers": [], "level": LOG_LEVEL},
        "django.server": {"handlers": [], "propagate": True},
        "django.db.backends": {"level": "INFO"},  # DEBUG is every statement with its values
        "gunicorn.error": {"handlers": [], "propagate": True, "level": LOG_LEVEL},
        "gunicorn.access": {"handlers": [], "propagate": True, "level": "INFO"},
        # INFO is two lines for every tick
        "celery": {"level": "DEBUG" if LOG_LEVEL == "DEBUG" else "WARNING"},
    },
}

if OUTPUT_STORAGE == "gcs" and not OUTPUT_GCS_BUCKET:
    env.problems.append("OUTPUT_GCS_BUCKET: must be set when OUTPUT_STORAGE is gcs")
env.finish()
