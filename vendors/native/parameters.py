"""Parameters that several operations take, for the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

SAME = {304: OpenApiResponse(description="It is as the client has it.")}

PROJECT = OpenApiParameter(
    "project", OpenApiTypes.STR, description="By name, uuid or id; `*`: all; default: the one that one acts in."
)
ACTING_IN = OpenApiParameter(
    "X-JobHub-Project",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The project that a user acts in, by name or uuid; a key acts in its own.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of what one has: an unchanged thing is answered with 304.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag that one saw: a thing that has changed since is left alone (412).",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key again gives the first execution back.",
)
AFTER = OpenApiParameter(
    "after",
    {"type": "integer", "minimum": 0, "default": 0},
    description="The `next_after` of the last answer: only what came later is sent.",
)
AS = OpenApiParameter("as", OpenApiTypes.STR, enum=["json", "text"], description="`text`: nothing but the output.")
