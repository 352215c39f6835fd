"""What operators look at: Django's admin over the engine. It reads rows, and changes them by the engine's verbs."""

from jobs.admin import archive, audit, execution, job, key, logins, node, notice, project, schedule, site, token, user

__all__ = [
    "archive",
    "audit",
    "execution",
    "job",
    "key",
    "logins",
    "node",
    "notice",
    "project",
    "schedule",
    "site",
    "token",
    "user",
]
site.set_up()
