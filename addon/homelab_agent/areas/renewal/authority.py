"""An authority that issues certificates, as the rest of this area sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from homelab_agent.areas.renewal.models import RevocationReason
from homelab_agent.platform.errors import Failed, Unavailable


class Status(StrEnum):
    """The states of orders, of proofs and of their challenges (RFC 8555, 7.1.6)."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That one name is ours. `txt_value` has to be found at `txt_name`, once it is `offered`.

    `says`: why the authority did not believe it, `kind` the type of that problem. `txt_value` None:
    it takes no proof by DNS.
    """

    url: str
    name: str
    status: Status
    txt_name: str
    txt_value: str | None
    offered: bool = False
    says: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the authority sees it now."""

    url: str
    status: Status
    proofs: tuple[Proof, ...]
    says: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAccount:
    """An account at an authority's website, which one for ACME is bound to (RFC 8555, 7.3.4)."""

    key_id: str
    hmac_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who orders where. `key_pem` proves it. `url` None: the authority is to be told first."""

    directory: str
    key_pem: str
    email: str | None = None
    registered_email: str | None = None
    url: str | None = None
    authority_pem: str | None = None
    external: ExternalAccount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalInfo:
    """When to renew (RFC 9773), and when to ask again. `explanation` is a page about why."""

    start: datetime
    end: datetime
    ask_again_s: float
    explanation: str | None = None


class Session(Protocol):
    """What can be asked of an authority by one account.

    All methods raise:
        AuthorityAway: it does not answer, or answers what nobody understands.
        AuthorityRefused: it answered that it will not, and why.
        ClockIsOff: this machine has another time than the authority.
    """

    async def register(self) -> str:
        """Make the account known, or find it; return its address."""
        ...

    async def new_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        """Begin an order; `replaces` is the certificate (PEM) that it renews."""
        ...

    async def order(self, url: str) -> Order:
        """Return an order as it is now."""
        ...

    async def status(self, url: str) -> Status:
        """Return only how an order is: one question, however many names it has."""
        ...

    async def offer(self, proof: Proof) -> None:
        """Tell that the value is there to be looked at."""
        ...

    async def give_up(self, proof: Proof) -> None:
        """Tell that nobody will prove this."""
        ...

    async def finalize(self, url: str, csr_pem: bytes) -> None:
        """Ask for the certificate of an order that is ready."""
        ...

    async def chain(self, url: str) -> str:
        """Return the certificate of an order that is valid, and its chain (PEM)."""
        ...

    async def revoke(self, certificate_pem: str, reason: RevocationReason) -> None:
        """Revoke a certificate; one that is revoked already is fine."""
        ...


class Authority(Protocol):
    """Authorities by their directories. The methods raise what those of `Session` do."""

    async def terms_url(self, directory: str, authority_pem: str | None) -> str | None:
        """Return where its terms are to be read."""
        ...

    async def open(self, account: Account) -> Session:
        """Return what can be asked by an account."""
        ...

    async def renewal_info(
        self, directory: str, authority_pem: str | None, certificate_pem: str
    ) -> RenewalInfo | None:
        """Return when a certificate is to be renewed; None where the authority does not say."""
        ...


class AuthorityAway(Unavailable):
    """It cannot be reached, or what it says is not ACME."""


class AuthorityRefused(Failed):
    """It will not. `kind` is the type of its problem, as "rateLimited"; `says` are its words."""

    def __init__(self, kind: str, says: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(
            f"The authority refuses: {says}",
            retry_after_s=retry_after_s,
        )
        self.kind = kind
        self.says = says


class ClockIsOff(Failed):
    """The clock of this machine is wrong, so nothing can be said of what is valid when."""
