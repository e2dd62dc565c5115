"""Certificates, as the API and the stream show them."""

from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum


class StartTls(OpenEnum):
    """The protocol that is spoken before the handshake."""

    SMTP = "smtp"
    IMAP = "imap"
    LDAP = "ldap"
    POSTGRESQL = "postgresql"
    UNKNOWN = "unknown"


class CertificateSource(OpenEnum):
    """Where a certificate is read: from whoever listens at an address, or from a file.

    MANAGED: it is one that the agent keeps, and is seen nowhere else.
    """

    ENDPOINT = "endpoint"
    FILE = "file"
    CADDY = "caddy"
    MANAGED = "managed"
    UNKNOWN = "unknown"


class Verdict(OpenEnum):
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
    UNKNOWN = "unknown"


class UnreachableCause(OpenEnum):
    """Why nobody could be asked, in a word of those that checks of monitors have for it."""

    UNKNOWN_HOST = "unknown_host"
    DNS_FAILED = "dns_failed"
    BAD_ADDRESS = "bad_address"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_ROUTE = "no_route"
    TIMED_OUT = "timed_out"
    RESET = "reset"
    CLOSED = "closed"
    AGENT_BUSY = "agent_busy"
    UNKNOWN = "unknown"


class ExpiryStage(OpenEnum):
    """The rung of the ladder: how soon it ends."""

    FINE = "fine"
    DAYS_30 = "days_30"
    DAYS_14 = "days_14"
    DAYS_7 = "days_7"
    DAYS_3 = "days_3"
    DAYS_1 = "days_1"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One certificate of the chain that was sent."""

    subject: str
    issuer: str
    expires_at: datetime
    fingerprint_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDetails:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReport:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
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


class CertificateEventType(OpenEnum):
    """What happened to a certificate. EXPIRING: it came to the next rung of the ladder."""

    EXPIRING = "expiring"
    EXPIRED = "expired"
    CHANGED = "changed"
    PROBLEM = "problem"
    RECOVERED = "recovered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateEvent:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateList:
    """All certificates that are watched, the one that ends first first."""

    certificates: tuple[Certificate, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointBody:
    """Where to read a certificate. `server_name` is asked for (SNI) and checked: `host` if none.

    `allow_guarded` (admin): also addresses that are refused otherwise, like cloud metadata.
    """

    host: str
    port: int = 443
    server_name: str | None = None
    start_tls: StartTls | None = None
    timeout_s: float = 10
    allow_guarded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchBody:
    """What to watch: `host` (and what belongs to it), or `path` of a file or folder."""

    name: str | None = None
    host: str | None = None
    port: int = 443
    server_name: str | None = None
    start_tls: StartTls | None = None
    path: str | None = None
    allow_guarded: bool = False
