"""Where the identity service answers, below its mount."""

from django.urls import path

from vendors.identity import views

app_name = "identity"

urlpatterns = [
    path("", views.VersionsView.as_view(), name="versions"),
    path("/v3", views.VersionView.as_view(), name="v3"),
    path("/v3/auth/tokens", views.TokensView.as_view(), name="tokens"),
]
