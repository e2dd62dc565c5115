"""Certificates of the invented homelab: one that is fine, one whose renewal fails."""

from datetime import timedelta

from homelab_agent.areas.renewal.accounts import Accounts
from homelab_agent.areas.renewal.book import CertificateBook
from homelab_agent.areas.renewal.kept import Issued, KeptCertificate
from homelab_agent.areas.renewal.models import (
    LETS_ENCRYPT,
    AcmeAccountBody,
    AcmeStep,
    HandOver,
    KeyType,
    ManagedOrigin,
    RenewalFailure,
)
from homelab_agent.platform.clock import Clock

_LIFE = timedelta(days=90)
_SAYS = (
    "mail.home.example.org: During secondary validation: DNS problem: SERVFAIL looking up TXT for "
    "_acme-challenge.mail.home.example.org - the domain's nameservers may be malfunctioning"
)


async def invent(book: CertificateBook, accounts: Accounts, clock: Clock) -> None:
    """Have them there, the first time."""
    if book.all():
        return
    body = AcmeAccountBody(directory=LETS_ENCRYPT, email="demo@example.org", terms_agreed=True)
    await accounts.choose(body)
    now = clock()
    fine = KeptCertificate(
        key="_wildcard.home.example.org",
        names=("*.home.example.org", "home.example.org"),
        origin=ManagedOrigin.ACME,
        key_type=KeyType.EC_P256,
        hand_over=HandOver(caddy=True),
        directory=LETS_ENCRYPT,
        issued=_issued(clock, "E7", days_old=19, seed="4f1c"),
        renew_at=now + timedelta(days=41, hours=7),
    )
    failing = KeptCertificate(
        key="mail.home.example.org",
        names=("mail.home.example.org",),
        origin=ManagedOrigin.ACME,
        key_type=KeyType.EC_P256,
        directory=LETS_ENCRYPT,
        issued=_issued(clock, "E8", days_old=79, seed="a93e"),
        renew_at=now - timedelta(days=19),
        failure=RenewalFailure(
            step=AcmeStep.VALIDATION,
            message=f"The authority refuses: {_SAYS}",
            authority_says=_SAYS,
            what_to_do="The authority cannot look the name up. See that the zone's name servers "
            "answer from the internet, that the registrar names the right ones, and that DNSSEC "
            "is in order.",
            at=now - timedelta(hours=5),
            attempts=23,
            next_try_at=now + timedelta(hours=18),
        ),
    )
    for record in (fine, failing):
        fingerprint = record.issued.fingerprint_sha256 if record.issued else None
        await book.put(record.model_copy(update={"handed": fingerprint}))


def _issued(clock: Clock, issuer: str, *, days_old: int, seed: str) -> Issued:
    began = clock() - timedelta(days=days_old, hours=3)
    return Issued(
        version="demo",
        issuer=issuer,
        serial=f"0{seed}" * 7,
        fingerprint_sha256=seed * 16,
        not_before=began,
        expires_at=began + _LIFE,
        renewed_at=began + timedelta(hours=1),
    )
