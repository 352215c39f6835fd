"""The face of Vertica's agent: its REST API on port 5444."""
