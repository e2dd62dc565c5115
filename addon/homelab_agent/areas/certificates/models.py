"""Certificates, as the API and the stream show them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from homelab_agent.platform.model import Model
from homelab_agent.platform.outbound.causes import UnreachableCause

CERTIFICATE_KIND = "certificate"
CERTIFICATE_EVENT_KIND = "certificate_event"

type HostName = Annotated[str, StringConstraints(min_length=1, max_length=253)]
type PortNumber = Annotated[int, Field(ge=1, le=65535)]


class StartTls(StrEnum):
    """The protocol that is spoken before the handshake."""

    SMTP = "smtp"
    IMAP = "imap"
    LDAP = "ldap"
    POSTGRESQL = "postgresql"


class CertificateSource(StrEnum):
    """Where a certificate is read: from whoever listens at an address, or from a file.

    MANAGED: it is one that the agent keeps, and is seen nowhere else.
    """

    ENDPOINT = "endpoint"
    FILE = "file"
    CADDY = "caddy"
    MANAGED = "managed"


class Verdict(StrEnum):
    """What a client of today would say of it; the first that applies, worst first."""

    TRUSTED = "trusted"
    UNREACHABLE = "unreachable"
    NO_CERTIFICATE = "no_certificate"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_NAME = "wrong_name"
    WEAK_KEY = "weak_key"
    WEAK_SIGNATURE = "weak_signature"
    SELF_SIGNED = "self_signed"
    INCOMPLETE_CHAIN = "incomplete_chain"
    UNKNOWN_AUTHORITY = "unknown_authority"
    UNTRUSTED = "untrusted"


class ExpiryStage(StrEnum):
    """The rung of the ladder: how soon it ends."""

    FINE = "fine"
    DAYS_30 = "days_30"
    DAYS_14 = "days_14"
    DAYS_7 = "days_7"
    DAYS_3 = "days_3"
    DAYS_1 = "days_1"
    EXPIRED = "expired"


class ChainLink(Model):
    """One certificate of the chain that was sent."""

    subject: str
    issuer: str
    expires_at: datetime
    fingerprint_sha256: str


class CertificateDetails(Model):
    """What a certificate says. `names` are those it is good for, from the subject alternatives."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    expires_at: datetime
    serial: str
    key_type: str
    key_bits: int | None = None
    signature_algorithm: str
    fingerprint_sha256: str
    chain: tuple[ChainLink, ...] = ()


class CertificateReport(Model):
    """What was found at one place. `details` is None where no certificate could be read.

    `reason` says why the verdict is what it is, in a sentence; None where it is trusted. `cause`:
    what an address was unreachable for, in a word.
    """

    verdict: Verdict
    reason: str | None = None
    cause: UnreachableCause | None = None
    details: CertificateDetails | None = None
    days_left: int | None = None
    protocol: str | None = None
    cipher: str | None = None
    checked_at: datetime


class Certificate(Model):
    """A certificate that is watched. `key` is made of letters, digits, dots and dashes.

    `host`, `port`, `server_name` and `start_tls` of an endpoint, `path` of a file. `container` is
    the key of the container that it belongs to, where that is known, `monitor` that of the monitor
    that it was found by, `managed` that of the certificate of the agent that it is. `kept_valid`:
    the agent renews it and tells when that fails; no rung of the ladder is told then. What was read
    last stays when the place cannot be read any more: then `verdict` is `unreachable` and
    `checked_at` goes on. `shown_by_turns`: so many different ones are shown there, by several
    servers behind one address; all that is told is of the worst.
    """

    key: str
    name: str
    source: CertificateSource
    host: str | None = None
    port: int | None = None
    server_name: str | None = None
    start_tls: StartTls | None = None
    path: str | None = None
    container: str | None = None
    monitor: str | None = None
    managed: str | None = None
    kept_valid: bool = False
    verdict: Verdict
    reason: str | None = None
    shown_by_turns: int = 1
    stage: ExpiryStage
    details: CertificateDetails | None = None
    days_left: int | None = None
    checked_at: datetime | None = None
    read_at: datetime | None = None
    changed_at: datetime | None = None
    removable: bool = True


class CertificateEventType(StrEnum):
    """What happened to a certificate. EXPIRING: it came to the next rung of the ladder."""

    EXPIRING = "expiring"
    EXPIRED = "expired"
    CHANGED = "changed"
    PROBLEM = "problem"
    RECOVERED = "recovered"


class CertificateEvent(Model):
    """The newest thing that happened to a certificate, told once: see `ContainerEvent`."""

    key: str
    name: str
    type: CertificateEventType
    number: int
    at: datetime
    stage: ExpiryStage
    days_left: int | None = None
    expires_at: datetime | None = None
    verdict: Verdict
    reason: str | None = None
    old_fingerprint_sha256: str | None = None
    new_fingerprint_sha256: str | None = None


class CertificateList(Model):
    """All certificates that are watched, the one that ends first first."""

    certificates: tuple[Certificate, ...]


class EndpointBody(Model):
    """Where to read a certificate. `server_name` is asked for (SNI) and checked: `host` if none.

    `allow_guarded` (admin): also addresses that are refused otherwise, like cloud metadata.
    """

    host: HostName
    port: PortNumber = 443
    server_name: HostName | None = None
    start_tls: StartTls | None = None
    timeout_s: float = Field(default=10, ge=1, le=60)
    allow_guarded: bool = False


class WatchBody(Model):
    """What to watch: `host` (and what belongs to it), or `path` of a file or folder."""

    name: str | None = Field(default=None, min_length=1, max_length=64)
    host: HostName | None = None
    port: PortNumber = 443
    server_name: HostName | None = None
    start_tls: StartTls | None = None
    path: str | None = Field(default=None, min_length=1, max_length=1024)
    allow_guarded: bool = False
