"""Where the identity service answers, below its mount."""

from vendors.identity import views
from vendors.wire.routes import with_slash_or_without

app_name = "identity"

urlpatterns = [
    *with_slash_or_without("", views.VersionsView.as_view(), name="versions"),
    *with_slash_or_without("/v3", views.VersionView.as_view(), name="v3"),
    *with_slash_or_without("/v3/auth/tokens", views.TokensView.as_view(), name="tokens"),
]
