"""What a worker process does: claim an execution, hold its lease, run its plan, tell how it ended."""
