"""How Datameer's clients say who they are."""

from vendors.wire.auth import BasicAuthentication


class DatameerBasic(BasicAuthentication):
    """Name and password on every call, as all of its pages have it."""

    challenge = 'Basic realm="Datameer"'
