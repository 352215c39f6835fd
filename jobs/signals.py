"""What the core tells whoever listens, in the same transaction; it knows nobody who does."""

from django.dispatch import Signal

remote_asked = Signal()
"""A node that polls by itself shall do something with a run of its job. Sent with `execution` and `ask`:

`start`: a run is due; `abort`: a run that it reported shall end; `withdraw`: a run that it was asked to start shall not
begin.
"""
START, ABORT, WITHDRAW = "start", "abort", "withdraw"

run_moved = Signal()
"""An execution of a watched job (`Job.is_watched`) has another state. Sent with `execution`, in the transaction."""
