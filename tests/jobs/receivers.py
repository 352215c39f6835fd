"""Write and send notices from a test's own process, and look at what came of it."""

from datetime import timedelta

from django.utils import timezone

from jobs.engine import deliveries
from jobs.engine.notices import note
from jobs.engine.pace import Pace
from jobs.models import Delivery, JobExecution, Subscription
from jobs.worker.courier import Courier


def tell(execution: JobExecution, event: str) -> None:
    """Have a delivery for each receiver, not sent yet."""
    note(execution, event)
    deliveries.make(Pace())


def carry() -> None:
    """All that is due now, to its end."""
    Courier(idle_s=0).run()


def again() -> None:
    """As if the pauses were over."""
    now = timezone.now() - timedelta(seconds=1)
    Delivery.objects.exclude(next_at=None).update(next_at=now)
    Subscription.objects.exclude(resting_until=None).update(resting_until=now)


def only() -> Delivery:
    return Delivery.objects.get()
