"""The OpenAPI document: each operation with the problems that it may answer."""

from collections.abc import Callable
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiYamlRenderer

from vendors.native import parameters
from vendors.native.serializers import ProblemSerializer
from vendors.native.vendor import VENDOR
from vendors.wire.renderers import compact

ALWAYS = ("400", "401", "403", "404", "429", "503")
OF_BODIES = ("413", "415")
REFS = {
    "jobs": "Its id, its uuid, or its name in the project that one acts in; slashes may stand as they are.",
    "executions": "Its id, its uuid, or its handle.",
    "nodes": "Its name, its id, or its uuid.",
    "projects": "Its id, its uuid, or its name.",
    "subscriptions": "Its id or its uuid.",
    "deliveries": "Its id.",
}
Endpoints = list[tuple[str, str, str, Callable[..., Any]]]


def only_native(endpoints: Endpoints) -> Endpoints:
    """drf-spectacular's hook: this document describes this face."""
    mounts = tuple(f"/{mount}" for mount in VENDOR.mounts)
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(mounts)]


class NativeSchema(AutoSchema):
    def get_auth(self) -> list[dict[str, list[str]]]:
        """Any one of them; what they are stands in the settings."""
        return [{"key": []}, {"password": []}, {"session": []}]

    def get_tags(self) -> list[str]:
        """The noun that its path begins with."""
        below = self.path.removeprefix(f"/{VENDOR.mounts[0]}")
        return [below.split("/")[0] or "hub"]

    def get_operation_id(self) -> str:
        """`jobs_trigger`: what, and what is done with it."""
        action = getattr(self.view, "action", None)
        return f"{self.get_tags()[0]}_{action}" if action else str(super().get_operation_id())

    def map_parsers(self) -> list[str]:
        types: list[str] = super().map_parsers()
        return types if self.method == "PATCH" else types[:1]

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)
        said = REFS.get(self.get_tags()[0], "")
        return [{**parameter, "description": said} for parameter in found]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """What the view declares, and the problems that its method and path can meet."""
        bodies = super()._get_response_bodies(direction)
        problems = {code for code in bodies if code >= "400"} | self._problems()
        for code in problems:
            bodies[code] = self._get_response_for_code(ProblemSerializer, code, [VENDOR.error_type], direction)
        return dict(sorted(bodies.items()))

    def _problems(self) -> set[str]:
        return {*ALWAYS, *(OF_BODIES if self.method in ("POST", "PUT", "PATCH") else ())}

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), parameters.ACTING_IN]


@cache
def document() -> dict[str, Any]:
    """The document, generated once a process."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


@cache
def as_json() -> bytes:
    return compact(document())


@cache
def as_yaml() -> bytes:
    text: bytes = OpenApiYamlRenderer().render(document(), renderer_context={})
    return text
