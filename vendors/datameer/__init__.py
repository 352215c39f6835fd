"""The Datameer face: jobs by their configurations, in the words of Datameer's REST API, V1 and V2."""
