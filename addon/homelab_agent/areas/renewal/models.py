"""Certificates that the agent keeps valid, as the API and the stream show them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from homelab_agent.areas.dns.models import GivenName
from homelab_agent.platform.dns_names import LONGEST_NAME
from homelab_agent.platform.model import Model

MANAGED_CERTIFICATE_KIND = "managed_certificate"
MANAGED_CERTIFICATE_EVENT_KIND = "managed_certificate_event"
ACME_ACCOUNT_KIND = "acme_account"
ACME_ACCOUNT_KEY = "acme"

CHALLENGE_LABEL = "_acme-challenge"
LONGEST_PROVEN_NAME = LONGEST_NAME - len(CHALLENGE_LABEL) - 1
"""A name that is proven by DNS leaves room for that before it."""

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"

type CertificateKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_][a-z0-9._-]{0,127}$")]
type DirectoryUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s@]+$", max_length=300)]
type Pem = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class ManagedOrigin(StrEnum):
    """Where it comes from: an authority through ACME, or a person who uploaded it."""

    ACME = "acme"
    UPLOADED = "uploaded"


class KeyType(StrEnum):
    """The key of a new certificate."""

    EC_P256 = "ec_p256"
    EC_P384 = "ec_p384"
    RSA_2048 = "rsa_2048"
    RSA_4096 = "rsa_4096"


class ManagedState(StrEnum):
    """How it is. FAILING: the last try failed, and the certificate is still valid."""

    NONE = "none"
    ISSUING = "issuing"
    VALID = "valid"
    RENEWING = "renewing"
    FAILING = "failing"
    EXPIRED = "expired"
    REVOKED = "revoked"


class AcmeStep(StrEnum):
    """The steps of getting a certificate, in their order."""

    ACCOUNT = "account"
    ORDER = "order"
    CHALLENGE = "challenge"
    PROPAGATION = "propagation"
    VALIDATION = "validation"
    FINALIZE = "finalize"
    STORE = "store"
    HAND_OVER = "hand_over"


class RenewalFailure(Model):
    """Why it failed: at which step, in the authority's own words, and what to do."""

    step: AcmeStep
    message: str
    authority_says: str | None = None
    what_to_do: str
    at: datetime
    attempts: int
    next_try_at: datetime | None = None


class AfterRenewal(StrEnum):
    """What a container is told once its certificate is in the folder."""

    RESTART = "restart"
    SIGNAL_HUP = "signal_hup"


class HandOver(Model):
    """Who gets the certificate: Caddy, and a folder below the agent's own one for certificates.

    `container` is told once the files are there. They are fullchain.pem, privkey.pem (0600),
    cert.pem and chain.pem.
    """

    caddy: bool = False
    folder: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$")
    container: str | None = Field(default=None, max_length=512)
    after: AfterRenewal | None = None


class ManagedCertificate(Model):
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


class ManagedCertificateList(Model):
    """All of them, the one that ends first first."""

    certificates: tuple[ManagedCertificate, ...]


class ManagedCertificateEventType(StrEnum):
    """What happened to it."""

    ISSUED = "issued"
    RENEWED = "renewed"
    FAILED = "failed"
    REVOKED = "revoked"


class ManagedCertificateEvent(Model):
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


class AcmeAccount(Model):
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


class AcmeAccountBody(Model):
    """The authority to order certificates from, and who orders.

    `authority_pem`: whom to trust for the directory itself, where it is a private one.
    `external_key_id` and `external_hmac_key` (Base64): from the authority's website, where it takes
    only accounts that were made there. None: what was given for it before.
    """

    directory: DirectoryUrl = LETS_ENCRYPT
    email: str | None = Field(default=None, pattern=r"^[^\s@]+@[^\s@]+$", max_length=254)
    terms_agreed: bool
    authority_pem: Pem | None = None
    external_key_id: str | None = Field(default=None, pattern=r"^[!-~]+$", max_length=500)
    external_hmac_key: SecretStr | None = Field(default=None, max_length=1000)


class IssueBody(Model):
    """A certificate to be ordered with DNS-01 and kept valid. `key` None: made of the first name.

    Wildcards are fine: "*.example.org".
    """

    names: tuple[GivenName, ...] = Field(min_length=1, max_length=100)
    key: CertificateKey | None = None
    key_type: KeyType = KeyType.EC_P256
    hand_over: HandOver = HandOver()
    wait_s: float | None = Field(default=120, ge=0, le=600)


class UploadBody(Model):
    """A certificate of one's own: it, its chain and its key in PEM. `key` None: of its first name.

    The key has to fit, the chain to be whole, and the certificate valid.
    """

    key: CertificateKey | None = None
    certificate_pem: Pem
    chain_pem: Pem | None = None
    key_pem: SecretStr = Field(min_length=1, max_length=50_000)
    hand_over: HandOver = HandOver()


class RevocationReason(StrEnum):
    """Why it is revoked."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"


class RevokeBody(Model):
    """Why, and how long to wait for it."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED
    wait_s: float | None = Field(default=60, ge=0, le=600)


class RenewBody(Model):
    """How long to wait for it. It is renewed now, also where it is not due."""

    wait_s: float | None = Field(default=120, ge=0, le=600)


class CertificateDeleteQuery(Model):
    """How long to wait until it is deleted."""

    wait_s: float | None = Field(default=120, ge=0, le=600)
