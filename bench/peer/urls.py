"""The peer's two addresses."""

from django.urls import path

from bench.peer import views

urlpatterns = [path("trigger", views.trigger), path("tasks/<str:task_id>", views.status)]
