"""The face of Siren Federate's connector: jobs, ingestions and datasources, with Elasticsearch's manners."""
