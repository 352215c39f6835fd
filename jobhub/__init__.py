"""The Django project: wiring only, no logic."""
