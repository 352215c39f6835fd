"""Where a request came in: links lead to the same place."""

from typing import Any

from vendors.wire.vendor import Vendor


def namespace(vendor: Vendor, mount: str) -> str:
    """The name of a mount's routes: the face's own at its first mount."""
    return vendor.name if mount == vendor.mounts[0] else f"{vendor.name}-below-{mount.strip('/')}"


def asked_below(vendor: Vendor, request: Any) -> str:
    """The mount below which was asked, as the beginning of a path: `/` or `/ontap/`."""
    mine = request.resolver_match.namespace
    return next(f"/{mount}" for mount in vendor.mounts if namespace(vendor, mount) == mine)
