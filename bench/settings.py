"""The hub's own settings, with one more view to compare with."""

from jobhub.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
