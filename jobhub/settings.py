"""Django's settings, all derived from the variables of `jobhub.env`."""

import os
import sys
from pathlib import Path
from typing import Any

from jobhub import env
from jobs.errors import stop_start

BASE_DIR = Path(__file__).resolve().parent.parent
try:
    HUB = env.read()
    HUB_DIR = env.hub_folder(HUB["VAR"])
    SECRET_KEY = HUB["SECRET_KEY"] or env.secret_key(HUB_DIR)
except env.BadSetting as error:
    stop_start(str(error))

DEBUG = False
TESTING = "pytest" in sys.modules
BASE_URL = HUB["BASE_URL"]
NODE = env.node_name(HUB["NODE"])
HUB_DATA = HUB["VAR"] / "data"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", NODE, *HUB["HOSTS"]]
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL else []
ROOT_URLCONF = "jobhub.urls"
WSGI_APPLICATION = "jobhub.wsgi.application"
AUTH_USER_MODEL = "jobs.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = HUB["MAX_BODY"]

INSTALLED_APPS = [
    "django_q",
    "jobs",  # before the admin, whose templates it overrides, and behind django_q, whose pages it takes off
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "jobhub",
    "vendors",
]
FACES = ["native", "datameer", "freezer", "identity", "ontap", "siren", "vertica"]
"""The folders of `vendors` that answer requests."""

MIDDLEWARE = [
    "jobhub.headers.SecureHeaders",
    "jobhub.proxies.TrustedProxies",
    "jobhub.slashes.SpareSlashes",
    "jobhub.bodies.WholeBodies",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "jobhub.throttling.ThrottledLogins",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
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

_SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; "
        "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY"
    ),
}
_POSTGRES = {"prepare_threshold": 5}
"""Counts for the hot queries only (`jobs.models.prepared`). A pooler must know prepared statements (PgBouncer 1.21)."""
_DATABASE = HUB["DATABASE_URL"] or {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": HUB_DIR / "jobhub.sqlite3",
}
IS_SQLITE = _DATABASE["ENGINE"].endswith("sqlite3")
DATABASES = {
    "default": {
        **_DATABASE,
        "OPTIONS": _SQLITE if IS_SQLITE else {**_POSTGRES, **_DATABASE["OPTIONS"]},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": not IS_SQLITE,
    }
}

AUTHENTICATION_BACKENDS = ["vendors.wire.passwords.Backend"]
PASSWORD_HASHERS = [
    "jobs.models.access.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Messages are hints only (jobs.queue): a long retry and no saved results are what makes that safe and cheap.
Q_CLUSTER = {
    "name": "jobhub",
    "workers": HUB["WORKERS"],
    "queue_limit": 8,
    "bulk": 1,
    "poll": 0.5,
    "guard_cycle": 0.5,
    "recycle": 500,
    "timeout": 86000,
    "retry": 86400,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "scheduler": False,
    "ALT_CLUSTERS": {},
    "log_level": "WARNING",
    "label": "Queue",
    **(
        {"redis": HUB["REDIS_URL"]}
        if HUB["REDIS_URL"]
        else {"orm": "default", "broker_class": "jobs.queue.DatabaseBroker"}
    ),
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "JobHub",
    "VERSION": "v1",
    "DESCRIPTION": "Jobs, their executions and what they print. Times are RFC 3339 in UTC, errors RFC 9457.",
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": [],
    "PREPROCESSING_HOOKS": ["vendors.native.schema.only_native"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer"},
            "password": {"type": "http", "scheme": "basic"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
    },
}
LOGIN_REDIRECT_URL = "native:root"

EMAIL_IS_ON = bool(HUB["EMAIL_URL"])
DEFAULT_FROM_EMAIL = HUB["EMAIL_FROM"]
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = HUB["EMAIL_URL"].get("backend", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_FILE_PATH = HUB["EMAIL_URL"].get("folder")
EMAIL_HOST = HUB["EMAIL_URL"].get("host", "")
EMAIL_PORT = HUB["EMAIL_URL"].get("port", 0)
EMAIL_HOST_USER = HUB["EMAIL_URL"].get("user", "")
EMAIL_HOST_PASSWORD = HUB["EMAIL_URL"].get("password", "")
EMAIL_USE_SSL = HUB["EMAIL_URL"].get("tls") == "smtps"
EMAIL_USE_TLS = HUB["EMAIL_URL"].get("tls") == "submission"

LANGUAGE_CODE = "en"
TIME_ZONE = HUB["TIME_ZONE"]
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

CSRF_FAILURE_VIEW = "jobhub.handlers.csrf_failure"
SESSION_COOKIE_SAMESITE = "Lax"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "jobs.masking.MaskingFormatter",
            "format": "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s",
        }
    },
    "filters": {"refused_form": {"()": "jobhub.logs.RefusedForm"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refused_form"]}},
    "root": {"handlers": ["stderr"], "level": HUB["LOG_LEVEL"]},
    "loggers": {"django-q": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}
os.umask(0o027)
