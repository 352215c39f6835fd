"""A plain django-q2 project: no authentication, no audit, no middleware that its answers do not need."""
