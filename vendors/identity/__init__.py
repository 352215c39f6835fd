"""Logins as OpenStack's clients know them: the part of Keystone v3 that Freezer's clients use. It shows no jobs."""
