"""What the store keeps of certificates and accounts. Secrets are sealed, keys are in files."""

from datetime import datetime

from homelab_agent.areas.renewal.models import (
    HandOver,
    KeyType,
    ManagedCertificateEvent,
    ManagedOrigin,
    RenewalFailure,
)
from homelab_agent.platform.model import Model


class TxtValue(Model):
    """A value that the agent put beside others at a name, or is about to.

    `provider`: None: the only one that manages it.
    """

    name: str
    value: str
    provider: str | None = None


class PendingOrder(Model):
    """An order that is under way: whoever takes it up goes on with it instead of a second one.

    `sealed_key` is the key of the certificate to come. `chain_pem`: it was issued, and is not in
    its file yet.
    """

    directory: str
    sealed_key: str
    order_url: str | None = None
    chain_pem: str | None = None


class Issued(Model):
    """The certificate that is in the files. `version` is the name of their folder."""

    version: str
    issuer: str
    serial: str
    fingerprint_sha256: str
    not_before: datetime
    expires_at: datetime
    renewed_at: datetime


class RenewalWindow(Model):
    """When the authority wants it renewed (ARI)."""

    start: datetime
    end: datetime


class KeptCertificate(Model):
    """One certificate with all that outlives a restart.

    `txt`: what may still stand in the DNS. `handed` and `told`: the fingerprint that everybody got,
    and that the container was told of. `provisioned`: it was made for a domain, and goes with it;
    `before`: who got it before
    a domain wanted it, too. `note`: what a person has to know of an uploaded one. `event`: what
    happened last; it is kept with what it is about, so that no crash between the two hides it.
    """

    key: str
    names: tuple[str, ...]
    origin: ManagedOrigin
    key_type: KeyType | None = None
    hand_over: HandOver = HandOver()
    directory: str | None = None
    issued: Issued | None = None
    revoked_at: datetime | None = None
    pending: PendingOrder | None = None
    txt: tuple[TxtValue, ...] = ()
    failure: RenewalFailure | None = None
    window: RenewalWindow | None = None
    renew_at: datetime | None = None
    handed: str | None = None
    told: str | None = None
    note: str | None = None
    provisioned: bool = False
    before: HandOver | None = None
    event: ManagedCertificateEvent | None = None


class KeptAccount(Model):
    """An account with one authority. `url` None: the authority does not know it yet.

    `chosen`: it is the one to order from now. `external_key_id`: of the account at the authority's
    website that this one is bound to.
    """

    directory: str
    chosen: bool
    email: str | None = None
    registered_email: str | None = None
    terms_agreed: bool = False
    terms_url: str | None = None
    authority_pem: str | None = None
    sealed_key: str | None = None
    url: str | None = None
    external_key_id: str | None = None
    sealed_external_key: str | None = None
