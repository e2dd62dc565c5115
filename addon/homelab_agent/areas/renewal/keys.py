"""What is known of certificates and their keys, and what is done with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from homelab_agent.areas.renewal.models import KeyType


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What is to be known of a certificate."""

    names: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint_sha256: str
    not_before: datetime
    expires_at: datetime
    key_type: KeyType | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A certificate that fits its key, in PEM. `chain` is in the order in which it is sent."""

    certificate: str
    chain: tuple[str, ...]
    key: str
    ders: tuple[bytes, ...]
    facts: CertificateFacts
    ends_in_root: bool


class KeyTools(Protocol):
    """What `key_tools` offers. All of it is quick, but for making RSA keys: use a thread."""

    def new_key(self, key_type: KeyType) -> str:
        """Return a new private key (PEM)."""
        ...

    def signing_request(self, key_pem: str, names: Sequence[str]) -> bytes:
        """Return a request (CSR, PEM) for a certificate."""
        ...

    def as_issued(self, chain_pem: str, key_pem: str) -> Bundle:
        """Return what an authority issued for a key; `Invalid` where it is for another one."""
        ...

    def bundle(self, certificate_pem: str, chain_pem: str | None, key_pem: str) -> Bundle:
        """Return what was given in its order; `Invalid` says what does not fit."""
        ...

    def ari_id(self, certificate_pem: str) -> str | None:
        """Return what a certificate is called when asking for its renewal (RFC 9773)."""
        ...
