"""Certificates as facts, whatever they were read with."""

from dataclasses import dataclass
from datetime import datetime

from homelab_agent.areas.certificates.models import CertificateDetails, ChainLink
from homelab_agent.areas.certificates.texts import shown

MOST_NAMES_SHOWN = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One certificate. `weak_key` and `weak_signature` name the weakness, as "RSA, 1024 bits".

    `is_public`: it bears what public authorities have to write, and private ones do not.
    """

    der: bytes
    display: str
    issuer_display: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    expires_at: datetime
    serial: str
    key_type: str
    key_bits: int | None
    signature: str
    weak_key: str | None
    weak_signature: str | None
    issuer_url: str | None
    is_public: bool
    is_authority: bool
    fingerprint_sha256: str

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer


@dataclass(frozen=True, slots=True)
class Chain:
    """What was sent, the certificate itself first. `path`: it and its issuers among those."""

    sent: tuple[Facts, ...]
    path: tuple[Facts, ...]

    @property
    def leaf(self) -> Facts:
        """The certificate that all is about."""
        return self.sent[0]

    @property
    def ders(self) -> tuple[bytes, ...]:
        """What was sent, as it was sent."""
        return tuple(each.der for each in self.sent)

    def details(self) -> CertificateDetails:
        """Return what is shown of it."""
        leaf = self.leaf
        return CertificateDetails(
            subject=shown(leaf.subject),
            issuer=shown(leaf.issuer),
            names=tuple(map(shown, leaf.names[:MOST_NAMES_SHOWN])),
            not_before=leaf.not_before,
            expires_at=leaf.expires_at,
            serial=shown(leaf.serial),
            key_type=leaf.key_type,
            key_bits=leaf.key_bits,
            signature_algorithm=leaf.signature,
            fingerprint_sha256=leaf.fingerprint_sha256,
            chain=tuple(_link(each) for each in self.sent[1:]),
        )


class Unreadable(Exception):
    """What was sent is no certificate that can be read; the message says why."""


def _link(facts: Facts) -> ChainLink:
    return ChainLink(
        subject=shown(facts.subject),
        issuer=shown(facts.issuer),
        expires_at=facts.expires_at,
        fingerprint_sha256=facts.fingerprint_sha256,
    )
