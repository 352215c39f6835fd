"""JSON as Elasticsearch writes it: on one line, or with `?pretty` over many."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from vendors.wire.renderers import Json, compact


class ElasticJson(Json):
    charset = "UTF-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is not None and renderer_context and wants_pretty(renderer_context["request"]):
            plain = json.loads(compact(data))
            return json.dumps(plain, indent=2, separators=(",", " : ")).encode() + b"\n"
        return super().render(data, accepted_media_type, renderer_context)


def wants_pretty(request: Request) -> bool:
    return request.query_params.get("pretty", "false") != "false"
