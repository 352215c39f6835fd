"""The certificate of the TLS ports: given by the operator, else made here and made anew before it ends."""

import ipaddress
import logging
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

log = logging.getLogger(__name__)

VALID_DAYS = 825
"""The longest that Apple's clients accept, also from an authority of one's own."""
RENEWED_DAYS_BEFORE = 30
LONGEST_COMMON_NAME = 64
ALWAYS = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")
Fingerprint = tuple[tuple[int, int, int], ...]


class BadCertificate(Exception):
    """Certificate and key cannot be used; the message says why, and how to mend it."""


@dataclass(frozen=True)
class Pair:
    """Where a certificate and its key lie."""

    certificate: Path
    key: Path

    def check(self) -> None:
        """Raises `BadCertificate` when a server could not start with them."""
        for path, setting in ((self.certificate, "JOBHUB_TLS_CERT"), (self.key, "JOBHUB_TLS_KEY")):
            try:
                path.open("rb").close()
            except OSError as error:
                raise BadCertificate(f"{setting}: cannot read {str(path)!r}: {error.strerror}") from None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, _no_passphrase)
        except (ssl.SSLError, ValueError, OSError) as error:
            raise BadCertificate(f"JOBHUB_TLS_CERT and JOBHUB_TLS_KEY: {self._fault(error)}") from None

    def _fault(self, error: Exception) -> str:
        if isinstance(error, _Encrypted):
            return f"the key {str(self.key)!r} has a passphrase; give one without"
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            return f"the key {str(self.key)!r} belongs to another certificate"
        return f"{str(self.certificate)!r} and {str(self.key)!r} are not a certificate and its key in PEM"

    def fingerprint(self) -> Fingerprint:
        """Differs once a file was replaced or written; raises `OSError` while one is missing."""
        found = [path.stat() for path in (self.certificate, self.key)]
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)


class _Encrypted(ValueError):
    """OpenSSL asked for a passphrase; without this it would ask the terminal."""


def _no_passphrase() -> str:
    raise _Encrypted


# -- the one in use ----------------------------------------------------------------------------------------------------
class Source:
    """Where the certificate comes from. `pair` stays the same, what lies there may be renewed."""

    def __init__(self, hub: dict[str, Any], folder: Path) -> None:
        self._names = tuple(dict.fromkeys(_names(hub)))
        self.is_given = hub["TLS_CERT"] is not None
        self.pair = (
            Pair(hub["TLS_CERT"], hub["TLS_KEY"]) if self.is_given else Pair(folder / "tls.crt", folder / "tls.key")
        )

    def prepare(self) -> None:
        """Make a certificate when it is the hub's own to make; raises `BadCertificate` when it cannot be used."""
        if not self.is_given and not _is_good(self.pair, self._names):
            make(self.pair, self._names)
        self.pair.check()
        ends_at = _read(self.pair.certificate).not_valid_after_utc
        if ends_at < datetime.now(UTC):
            log.warning("the certificate %s has ended on %s; clients will refuse it", self.pair.certificate, ends_at)


class Watch:
    """Notices when a certificate was renewed. A half-written or mismatched pair is not news yet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen = source.pair.fingerprint()
        self._complained_about: Fingerprint | None = None

    def has_news(self) -> bool:
        """Whether there is a pair to serve from now on; says so once."""
        try:
            self._source.prepare()
            found = self._source.pair.fingerprint()
        except (BadCertificate, OSError, ValueError) as error:
            self._complain(error)
            return False
        is_new, self._seen = found != self._seen, found
        return is_new

    def _complain(self, error: Exception) -> None:
        try:
            found = self._source.pair.fingerprint()
        except OSError:
            found = ()
        if found != self._complained_about:
            self._complained_about = found
            log.warning("going on with the certificate as it was: %s", error)


# -- one of our own ----------------------------------------------------------------------------------------------------
def make(pair: Pair, names: tuple[str, ...]) -> None:
    """A self-signed certificate that is no authority: who trusts it trusts this hub, and nothing else.

    EC P-256: every client since OpenSSL 1.0 takes it, and a handshake costs the hub a tenth of what RSA does. A renewal
    keeps the key, so that the two files always fit.
    """
    key = _key(pair.key)
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:LONGEST_COMMON_NAME])])
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(days=VALID_DAYS),
    )
    for extension, is_critical in _extensions(key, names):
        builder = builder.add_extension(extension, critical=is_critical)
    _replace(pair.certificate, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _extensions(key: ec.EllipticCurvePrivateKey, names: tuple[str, ...]) -> Iterator[tuple[x509.ExtensionType, bool]]:
    yield x509.SubjectAlternativeName([_general(name) for name in names]), False
    yield x509.BasicConstraints(ca=False, path_length=None), True
    yield x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
    yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    usages = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    yield x509.KeyUsage(digital_signature=True, **usages), True


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The one that is there, else a new one."""
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
    except (OSError, ValueError, TypeError):
        pass  # missing, or spoilt: it is the hub's own, so it is made anew
    key = ec.generate_private_key(ec.SECP256R1())
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _replace(path, key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    return key


def _replace(path: Path, content: bytes) -> None:
    """Nobody ever reads half of it, and only the hub's user any of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


def _is_good(pair: Pair, names: tuple[str, ...]) -> bool:
    """Whether the certificate made before still does: not about to end, for all names, with its key."""
    try:
        pair.check()
        found = _read(pair.certificate)
        told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (BadCertificate, OSError, ValueError, x509.ExtensionNotFound):
        return False
    renewed_at = found.not_valid_after_utc - timedelta(days=RENEWED_DAYS_BEFORE)
    return renewed_at > datetime.now(UTC) and {_general(name) for name in names} <= set(told)


def _read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


# -- names -------------------------------------------------------------------------------------------------------------
def _names(hub: dict[str, Any]) -> Iterator[str]:
    """All that requests may call the hub: what `ALLOWED_HOSTS` has, and the address that it listens on."""
    yield from ALWAYS
    given = [socket.gethostname(), *hub["HOSTS"], urlsplit(hub["BASE_URL"]).hostname or ""]
    if hub["BIND"] not in EVERYWHERE:
        given.append(hub["BIND"])
    for name in given:
        if clean := _clean(name):
            yield clean


def _clean(name: str) -> str:
    """As a certificate says it; empty when it cannot. Django's `.example.org` is a wildcard there."""
    name = name.strip("[]").lower()
    if name == "*":
        return ""
    if name.startswith("."):
        name = f"*{name}"
    try:
        return name if ":" in name else name.encode("idna").decode()
    except UnicodeError:
        return ""


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
