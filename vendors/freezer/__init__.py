"""OpenStack Freezer: backup jobs, run by its own schedulers on their machines, or by the hub's workers."""
