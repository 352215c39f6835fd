"""The Django app of the core."""

from pathlib import Path

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from django.conf import settings

        from jobs import paths, secrets, targets
        from jobs.errors import Invalid, stop_start
        from jobs.runners import callables
        from jobs.runners.sql import index

        base: Path = settings.BASE_DIR
        paths.configure(
            paths.PathGuard(
                allowed=settings.HUB["ALLOWED_PATHS"],
                refused=(settings.HUB_DIR, base),
                data=settings.HUB_DATA,
                always=(settings.HUB_DATA, base / "examples"),
            )
        )
        secrets.configure(secrets.KeyFile(settings.HUB_DIR / "secret.keys"))
        targets.configure(targets.TargetGuard(settings.HUB["ALLOWED_TARGETS"]))
        index.configure(settings.HUB["ELASTICSEARCH_URL"])
        try:
            callables.configure(settings.HUB["CALLABLES"])
        except Invalid as error:
            stop_start(error.message)
