"""Where Kiln answers, below its mount."""

from django.urls import path

from vendors.kiln import views

app_name = "kiln"

urlpatterns = [
    path("firings", views.FiringViewSet.as_view({"get": "list", "post": "create"}), name="firings"),
    path("firings/<str:ref>", views.FiringViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="firing"),
]
