"""The bodies of Keystone v3: what a login says, and what a token says."""

from typing import Any

import pydantic

from jobs.engine.tokens import Bearer
from jobs.errors import FieldError, Invalid
from vendors.wire.times import keystone

DOMAIN = {"id": "default", "name": "Default"}
REGION = "RegionOne"
INTERFACES = ("public", "internal", "admin")


class Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore", strict=True)


class Domain(Part):
    id: str | None = None
    name: str | None = None

    @property
    def is_known(self) -> bool:
        return self.id in (None, DOMAIN["id"]) and self.name in (None, DOMAIN["name"])


class Named(Part):
    """Somebody or something by its id, or by its name in a domain."""

    id: str | None = None
    name: str | None = None
    domain: Domain = Domain()

    @pydantic.model_validator(mode="after")
    def _has_one(self) -> "Named":
        if self.id is None and self.name is None:
            raise ValueError("expecting to find id or name")
        return self


class WithPassword(Named):
    password: str


class OfPassword(Part):
    user: WithPassword


class OfToken(Part):
    id: str


class Identity(Part):
    methods: list[str]
    password: OfPassword | None = None
    token: OfToken | None = None


class Scope(Part):
    project: Named | None = None


class Auth(Part):
    identity: Identity
    scope: Scope | str | None = None

    @property
    def is_unscoped(self) -> bool:
        return self.scope == "unscoped"


class Login(Part):
    """The body of `POST /v3/auth/tokens`."""

    auth: Auth

    @classmethod
    def parse(cls, raw: Any) -> "Login":
        """Raises `Invalid`."""
        try:
            return cls.model_validate(raw)
        except pydantic.ValidationError as error:
            raise Invalid(_field_error(item) for item in error.errors(include_input=False)) from None


def _field_error(item: Any) -> FieldError:
    place = ".".join(str(part) for part in item["loc"])
    text = "Expecting to find it in the request" if item["type"] == "missing" else item["msg"]
    return FieldError(place, text.removeprefix("Value error, "))


def token_json(bearer: Bearer, base: str, *, with_catalog: bool = True) -> dict[str, Any]:
    """`base` is the hub's address without a slash at its end."""
    token: dict[str, Any] = {
        "methods": bearer.methods.split(","),
        "user": {
            "domain": DOMAIN,
            "id": bearer.user_uuid.hex,
            "name": bearer.username,
            "password_expires_at": None,
        },
        "audit_ids": [bearer.token_id],
        "expires_at": keystone(bearer.expires_at),
        "issued_at": keystone(bearer.created_at),
    }
    if bearer.project_uuid is not None:
        token["project"] = {"domain": DOMAIN, "id": bearer.project_uuid.hex, "name": bearer.project_name}
        token["is_domain"] = False
        token["roles"] = [{"id": role, "name": role} for role in bearer.roles]
        if with_catalog:
            token["catalog"] = catalog(base)
    return {"token": token}


def catalog(base: str) -> list[dict[str, Any]]:
    """Clients add `/v2/<project>` to the address of `backup` themselves."""
    return [_service("backup", "freezer", base), _service("identity", "keystone", f"{base}/identity/v3")]


def _service(kind: str, name: str, url: str) -> dict[str, Any]:
    endpoints = [
        {"id": f"{kind}-{interface}", "interface": interface, "region_id": REGION, "region": REGION, "url": url}
        for interface in INTERFACES
    ]
    return {"endpoints": endpoints, "id": kind, "type": kind, "name": name}


def version(url: str) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": url}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
