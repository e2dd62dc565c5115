"""Certificates that the agent keeps valid, as the API and the stream show them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .base import EACH_BY_ITSELF, OpenEnum

ACME_ACCOUNT_KEY: Final = "acme"
LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"


class ManagedOrigin(OpenEnum):
    """Where it comes from: an authority through ACME, or a person who uploaded it."""

    ACME = "acme"
    UPLOADED = "uploaded"
    UNKNOWN = "unknown"


class KeyType(OpenEnum):
    """The key of a new certificate."""

    EC_P256 = "ec_p256"
    EC_P384 = "ec_p384"
    RSA_2048 = "rsa_2048"
    RSA_4096 = "rsa_4096"
    UNKNOWN = "unknown"


class ManagedState(OpenEnum):
    """How it is. FAILING: the last try failed, and the certificate is still valid."""

    NONE = "none"
    ISSUING = "issuing"
    VALID = "valid"
    RENEWING = "renewing"
    FAILING = "failing"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class AcmeStep(OpenEnum):
    """The steps of getting a certificate, in their order."""

    ACCOUNT = "account"
    ORDER = "order"
    CHALLENGE = "challenge"
    PROPAGATION = "propagation"
    VALIDATION = "validation"
    FINALIZE = "finalize"
    STORE = "store"
    HAND_OVER = "hand_over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFailure:
    """Why it failed: at which step, in the authority's own words, and what to do."""

    step: AcmeStep
    message: str
    authority_says: str | None = None
    what_to_do: str
    at: datetime
    attempts: int
    next_try_at: datetime | None = None


class AfterRenewal(OpenEnum):
    """What a container is told once its certificate is in the folder."""

    RESTART = "restart"
    SIGNAL_HUP = "signal_hup"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Who gets the certificate: Caddy, and a folder below the agent's own one for certificates.

    `container` is told once the files are there. They are fullchain.pem, privkey.pem (0600),
    cert.pem and chain.pem.
    """

    caddy: bool = False
    folder: str | None = None
    container: str | None = None
    after: AfterRenewal | None = None


NO_HAND_OVER: Final = HandOver()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedCertificate:
    """A certificate that the agent keeps. Its key is in a file that only the agent reads (0600).

    `renew_at`: when it will be renewed, as the authority proposes (ARI) or at a third of its life
    left. None: it is not renewed by the agent.
    """

    key: str
    names: tuple[str, ...]
    origin: ManagedOrigin
    state: ManagedState
    reason: str | None = None
    issuer: str | None = None
    key_type: KeyType | None = None
    serial: str | None = None
    fingerprint_sha256: str | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    days_left: int | None = None
    renew_at: datetime | None = None
    renewed_at: datetime | None = None
    hand_over: HandOver
    failure: RenewalFailure | None = None
    directory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedCertificateList:
    """All of them, the one that ends first first."""

    certificates: tuple[ManagedCertificate, ...] = field(metadata=EACH_BY_ITSELF)


class ManagedCertificateEventType(OpenEnum):
    """What happened to it."""

    ISSUED = "issued"
    RENEWED = "renewed"
    FAILED = "failed"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedCertificateEvent:
    """The newest thing that happened to it, told once: see `ContainerEvent`."""

    key: str
    type: ManagedCertificateEventType
    number: int
    at: datetime
    expires_at: datetime | None = None
    days_left: int | None = None
    step: AcmeStep | None = None
    reason: str | None = None
    what_to_do: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeAccount:
    """With whom certificates are ordered. `registered` False: it is set up with the first order.

    `external_key_id`: of the account at the authority's website that it is bound to.
    """

    key: str = ACME_ACCOUNT_KEY
    directory: str
    email: str | None = None
    external_key_id: str | None = None
    terms_agreed: bool
    registered: bool
    terms_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeAccountBody:
    """The authority to order certificates from, and who orders.

    `authority_pem`: whom to trust for the directory itself, where it is a private one.
    `external_key_id` and `external_hmac_key` (Base64): from the authority's website, where it takes
    only accounts that were made there. None: what was given for it before.
    """

    directory: str = LETS_ENCRYPT
    email: str | None = None
    terms_agreed: bool
    authority_pem: str | None = None
    external_key_id: str | None = None
    external_hmac_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueBody:
    """A certificate to be ordered with DNS-01 and kept valid. `key` None: made of the first name.

    Wildcards are fine: "*.example.org".
    """

    names: tuple[str, ...]
    key: str | None = None
    key_type: KeyType = KeyType.EC_P256
    hand_over: HandOver = NO_HAND_OVER
    wait_s: float | None = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBody:
    """A certificate of one's own: it, its chain and its key in PEM. `key` None: of its first name.

    The key has to fit, the chain to be whole, and the certificate valid.
    """

    key: str | None = None
    certificate_pem: str
    chain_pem: str | None = None
    key_pem: str
    hand_over: HandOver = NO_HAND_OVER


class RevocationReason(OpenEnum):
    """Why it is revoked."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeBody:
    """Why, and how long to wait for it."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED
    wait_s: float | None = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewBody:
    """How long to wait for it. It is renewed now, also where it is not due."""

    wait_s: float | None = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDeleteQuery:
    """How long to wait until it is deleted."""

    wait_s: float | None = 120
