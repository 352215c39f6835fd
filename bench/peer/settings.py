"""The peer's settings: django-q2's defaults, on a database that is as well tuned as the hub's."""

import os

from jobhub.env import database_url

SECRET_KEY = "only for measuring"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.peer.urls"
INSTALLED_APPS = ["django_q"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
"""It says how long an answer is, which a kept connection needs."""
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_DATABASE = database_url(os.environ["PEER_DATABASE_URL"])
_SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; "
        "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY"
    ),
}
DATABASES = {
    "default": {
        **_DATABASE,
        "OPTIONS": _SQLITE if _DATABASE["ENGINE"].endswith("sqlite3") else _DATABASE["OPTIONS"],
        "CONN_MAX_AGE": 600,
    }
}
_REDIS = os.environ["PEER_REDIS_URL"]
Q_CLUSTER = {
    "name": "peer",
    "workers": int(os.environ["PEER_WORKERS"]),
    "save_limit": int(os.environ["PEER_SAVE_LIMIT"]),
    "timeout": 60,
    "retry": 120,
    "log_level": "WARNING",
    **({"redis": _REDIS} if _REDIS else {"orm": "default"}),
}
