"""Send notices from a test's own process, and look at what came of it."""

from datetime import timedelta

from django.utils import timezone

from jobs.models import Delivery, Subscription
from jobs.worker.courier import Courier


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
