"""Queries: what stands behind the `=` of a field, and what it means to the database."""
