"""Who asks: a name and a password, as every ONTAP client sends them; keys of the hub are taken, but not offered."""

from vendors.wire.auth import BasicAuthentication, KeyAuthentication


class OntapBasic(BasicAuthentication):
    """Ansible sends passwords as UTF-8, requests (and so netapp-ontap) as Latin-1."""

    challenge = 'Basic realm="ONTAP"'
    encodings = ("utf-8", "latin-1")


class HubKey(KeyAuthentication):
    challenge = ""
