"""NetApp ONTAP's REST API: executions as asynchronous jobs of a cluster."""
