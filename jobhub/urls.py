"""Where everything answers."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path

from jobhub import health
from vendors import registry

urlpatterns = [
    path("", health.front_door),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("admin/", admin.site.urls),
    path("session/login/", LoginView.as_view(template_name="wire/login.html")),
    path("session/", include("rest_framework.urls")),
    *registry.urlpatterns(),
]
handler400 = "jobhub.handlers.bad_request"
handler403 = "jobhub.handlers.forbidden"
handler404 = "jobhub.handlers.not_found"
handler500 = "jobhub.handlers.server_error"
