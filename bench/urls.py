"""The hub's own addresses, and a bare view of the same row."""

from django.urls import path

from bench.views import bare
from jobhub.urls import handler400, handler403, handler404, handler500
from jobhub.urls import urlpatterns as hub

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("bench/bare/<int:pk>", bare), *hub]
