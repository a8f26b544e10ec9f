"""All settings, from the environment alone. Every default is safe; docs/settings.md lists them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from config import console, mail, payments, signup, stages, webhooks
from config.database import databases
from config.env import Env, celery_broker_url, environment, limits_storage_url
from config.logs import FORMATS, LEVELS, logging_config
from config.misspelt import misspelt
from config.pages import API_PATHS as API_PATHS
from config.pages import CSRF_FAILURE_VIEW as CSRF_FAILURE_VIEW
from config.pages import MESSAGE_STORAGE as MESSAGE_STORAGE
from config.pages import TEMPLATES as TEMPLATES
from config.rest import REST_FRAMEWORK as REST_FRAMEWORK  # settings are the names of this file
from config.rest import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from config.storages import storages
from config.unfold import ADMIN_CONTENT_SECURITY_POLICY as ADMIN_CONTENT_SECURITY_POLICY
from config.unfold import CONTENT_SECURITY_POLICY as CONTENT_SECURITY_POLICY
from config.unfold import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = Env(environment(BASE_DIR))

# --- Django ---------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
# Django refuses to sign without it. Web and the worker of webhooks sign: they do not start without.
SECRET_KEY = env.text("SECRET_KEY")
if DEBUG and not SECRET_KEY:
    # Only ever signs links of a stack on this machine; stable over restarts, so links survive.
    SECRET_KEY = "insecure-" + hashlib.sha256(str(BASE_DIR).encode()).hexdigest()
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")  # docs/rotation.md
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL").rstrip("/")
# How many of our own proxies stand before us and append to X-Forwarded-For.
NUM_PROXIES = env.integer("NUM_PROXIES", 0)
HTTPS = env.flag("HTTPS", not DEBUG)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "staff.admin_app.StaffAdminConfig",  # django.contrib.admin, with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "common",
    "accounts",
    "credits",
    "events",
    "mail",
    "generation",
    "payments",
    "signup",
    "webhooks",
    "console",
    "staff",  # last: its roles name the permissions of all others
]
MIDDLEWARE = [
    "monitoring.endpoint.ScrapeMiddleware",
    "monitoring.request_metrics.RequestMetricsMiddleware",
    "common.telemetry.request_id.RequestIdMiddleware",
    "common.telemetry.access_log.AccessLogMiddleware",
    "common.web.caching.CachingMiddleware",
    "common.api.shape.ErrorShapeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "common.web.static_files.StaticFilesMiddleware",
    "common.web.content_policy.ContentPolicyMiddleware",
    "common.api.slash.OptionalSlashMiddleware",
    "common.api.addresses.AddressMiddleware",
    "staff.middleware.StaffSessionMiddleware",
    "console.middleware.ConsoleSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "staff.middleware.StaffAuthenticationMiddleware",
    "staff.middleware.StaffOTPMiddleware",
    "staff.middleware.StaffMessageMiddleware",
    "console.middleware.ConsoleAuthenticationMiddleware",
    "console.middleware.ConsoleMessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # a redirected POST loses its body; OptionalSlashMiddleware answers both
LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "config.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # contract section 6; BodyLimit holds it for chunked too

# --- Database and broker --------------------------------------------------------------------------
DATABASES = databases(env)
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
BROKER_URL, RATE_LIMIT_STORAGE_URL = celery_broker_url(REDIS_URL), limits_storage_url(REDIS_URL)

# --- Accounts -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "accounts.passwords.CanonicalPasswordHasher",
    # Django's others, for hashes that an operator brought along
    *(
        f"django.contrib.auth.hashers.{name}PasswordHasher"
        for name in ("PBKDF2SHA1", "Argon2", "BCryptSHA256", "Scrypt")
    ),
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
REGISTRATION_OPEN, SIGNUP_CREDITS, TRIAL_CREDITS_PER_DAY = signup.joining(env)
MAX_OPEN_GENERATIONS = env.integer("MAX_OPEN_GENERATIONS", 50, least=1)  # an account, contract 6
# failed or canceled ones of an account: at once, and so many a day from then on
MAX_UNDELIVERED_PER_DAY = env.integer("MAX_UNDELIVERED_PER_DAY", 2000, least=1)
RATE_LIMIT_CREATES = env.integer("RATE_LIMIT_CREATES", 60, least=1)  # a minute an account
RATE_LIMIT_READS = env.integer("RATE_LIMIT_READS", 600, least=1)  # a minute an account
RATE_LIMIT_UPLOADS = env.integer("RATE_LIMIT_UPLOADS", 30, least=1)  # a minute an account
UPLOADS_PER_DAY = env.integer("UPLOADS_PER_DAY", 200, least=1)  # an account, in any 24 hours
UPLOAD_MB_PER_DAY = env.integer("UPLOAD_MB_PER_DAY", 1000, least=1)  # likewise, as received
UPLOAD_DECODES = env.integer("UPLOAD_DECODES", 1, least=1)  # at once a host, up to 1 GB each
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

# --- Payments (config/payments.py) ----------------------------------------------------------------
STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS = payments.stripe_keys(env)  # no key = payments are off
STRIPE_TAX, STRIPE_PROMOTIONS = payments.stripe_switches(env)
_limits = payments.purchase_limits(env)
PURCHASE_MAX_PER_DAY, PURCHASE_MAX_PER_DAY_NEW, PURCHASE_REVIEW_FIRST_ABOVE = _limits
RATE_LIMIT_CHECKOUTS, RATE_LIMIT_CHECKOUTS_ADDRESS = payments.checkout_limits(env)
STRIPE_BASE_URL, ALLOW_TEST_PAYMENTS = payments.not_for_money(env, DEBUG or ALLOW_EMULATOR)

# --- Mail (config/mail.py) -----------------------------------------------------------------------
MAIL_SERVER, MAIL_FROM = mail.mail_server(env), mail.mail_from(env)
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # nothing of Django's own sends

# --- Webhooks (config/webhooks.py) ---------------------------------------------------------------
WEBHOOK_ALLOWED_ORIGINS, WEBHOOK_ALLOW_HTTP = webhooks.receivers(env)

# --- Time (docs/decisions.md, decision 17), in seconds --------------------------------------------
TIME_SCALE = env.number("TIME_SCALE", 1.0)
STAGES = stages.table(TIME_SCALE)
DEADLINE = 1800 * TIME_SCALE
UNKNOWN_WINDOW = 900 * TIME_SCALE
# A real machine answers in real time, however fast a demo's clock runs: hence the least values.
SUBMIT_TIMEOUT = max(60 * TIME_SCALE, 3.0)
READ_TIMEOUT = max(20 * TIME_SCALE, 3.0)
FETCH_TIMEOUT = max(60 * TIME_SCALE, 3.0)
LEASE = max(90 * TIME_SCALE, 5.0)  # longer than any call under it: 60 s + 10 s
IMAGES_TIME = max(300 * TIME_SCALE, 30.0)  # from the order on, waiting for a turn included
PREPARE_TIMEOUT, PREPARE_LEASE = max(45 * TIME_SCALE, 5.0), max(90 * TIME_SCALE, 8.0)  # a try
POLL_LEASE = max(35 * TIME_SCALE, 5.0)  # a poll takes 20 s; a late one only reads

# --- Outputs --------------------------------------------------------------------------------------
OUTPUT_STORAGE = env.choice("OUTPUT_STORAGE", "local", ("local", "gcs"))
OUTPUT_ROOT = Path(env.text("OUTPUT_ROOT", str(VAR_DIR / "outputs")))
OUTPUT_GCS_BUCKET = env.text("OUTPUT_GCS_BUCKET")
WORK_DIR = Path(env.text("WORK_DIR", str(VAR_DIR / "work")))
# From a generation's end, in days; 0 = kept for ever. An account may have its own numbers.
OUTPUT_RETENTION_DAYS = env.integer("OUTPUT_RETENTION_DAYS", 90)
PROMPT_RETENTION_DAYS = env.integer("PROMPT_RETENTION_DAYS", 365)
EVENT_RETENTION_DAYS = env.integer("EVENT_RETENTION_DAYS", 30)  # from the event on; 0 = for ever
STORAGES = storages(OUTPUT_STORAGE, OUTPUT_ROOT, OUTPUT_GCS_BUCKET)
STATIC_URL = "static/"
# Where collectstatic puts them (the image does that); a checkout serves them from where they are.
STATIC_ROOT = env.text("STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None

# --- Metrics (METRICS_DIR is read before there are settings: common/telemetry/metrics_folder.py) --
METRICS_TOKEN = env.text("METRICS_TOKEN")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS", ("127.0.0.0/8", "::1"))
WORKER_METRICS_PORT = env.integer("WORKER_METRICS_PORT", 0)  # of every worker and beat; 0 = none
WORKER_METRICS_HOST = env.text("WORKER_METRICS_HOST", "127.0.0.1")

# --- Security -------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^livez/?$", r"^readyz/?$"]
if NUM_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
# Only the operator knows whether all subdomains have HTTPS, and browsers' lists forget slowly.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # which ask for both
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE, SESSION_COOKIE_PATH = "Strict", "/admin/"  # the operators' cookie
SESSION_ENGINE = "staff.sessions"
SESSION_COOKIE_AGE = env.integer("ADMIN_SESSION_IDLE", 1800, least=60)  # seconds
ADMIN_SESSION_LIFETIME = env.integer("ADMIN_SESSION_LIFETIME", 28_800, least=60)  # seconds, in all
CONSOLE_SESSION_IDLE, CONSOLE_SESSION_LIFETIME = console.session_times(env)
ADMIN_REQUIRE_2FA = env.flag("ADMIN_REQUIRE_2FA", True)
if not ADMIN_REQUIRE_2FA and not DEBUG:
    env.problems.append("ADMIN_REQUIRE_2FA: only with DEBUG may a password be enough")
OTP_TOTP_ISSUER, PASSWORD_RESET_TIMEOUT = "Reelmint", 3600  # seconds
SECURE_REFERRER_POLICY, X_FRAME_OPTIONS = "same-origin", "DENY"

CONSOLE_CONTENT_SECURITY_POLICY = console.content_policy(OUTPUT_STORAGE)

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", LEVELS)
LOG_FORMAT = env.choice("LOG_FORMAT", "console" if DEBUG else "json", FORMATS)
LOGGING = logging_config(LOG_LEVEL, LOG_FORMAT)

if OUTPUT_STORAGE == "gcs" and not OUTPUT_GCS_BUCKET:
    env.problems.append("OUTPUT_GCS_BUCKET: must be set when OUTPUT_STORAGE is gcs")
if not DEBUG:
    env.refuse_examples()
KNOWN_VARIABLES = frozenset(env.known)
MISSPELT_VARIABLES = misspelt(os.environ, KNOWN_VARIABLES)
env.finish()
