"""The authority of the invented homelab: it believes everybody, and signs with a key of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from homelab_agent.areas.renewal.authority import Account, Order, Proof, RenewalInfo, Status
from homelab_agent.areas.renewal.models import RevocationReason
from homelab_agent.platform.clock import Clock

ISSUER = "Demo authority"
_LIFE = timedelta(days=90)
_PEM = serialization.Encoding.PEM


class DemoAuthority:
    """Asks nobody: neither the DNS nor the internet. It is its own session."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
        self._orders: dict[str, Order] = {}
        self._signed: dict[str, str] = {}

    async def terms_url(self, directory: str, authority_pem: str | None) -> str | None:  # noqa: ARG002 - the same for all
        """Return where its terms would be."""
        return "https://letsencrypt.org/repository/"

    async def open(self, account: Account) -> DemoAuthority:  # noqa: ARG002 - the same for all
        """Return itself."""
        return self

    async def renewal_info(
        self,
        directory: str,  # noqa: ARG002 - it never says
        authority_pem: str | None,  # noqa: ARG002
        certificate_pem: str,  # noqa: ARG002
    ) -> RenewalInfo | None:
        """Leave it to the agent when to renew."""
        return None

    async def register(self) -> str:
        """Know everybody."""
        return "demo:account"

    async def new_order(
        self,
        names: Sequence[str],
        replaces: str | None = None,  # noqa: ARG002 - it counts nothing
    ) -> Order:
        """Believe that all names belong to who asks."""
        url = f"demo:order/{uuid4()}"
        proofs = tuple(
            Proof(
                url=f"{url}/{name}",
                name=name,
                status=Status.VALID,
                txt_name=f"_acme-challenge.{name}",
                txt_value=None,
            )
            for name in names
        )
        self._orders[url] = Order(url=url, status=Status.READY, proofs=proofs)
        return self._orders[url]

    async def order(self, url: str) -> Order:
        """Return an order; one of before a restart has ended."""
        return self._orders.get(url) or Order(url=url, status=Status.INVALID, proofs=())

    async def status(self, url: str) -> Status:
        """Return how an order is."""
        return (await self.order(url)).status

    async def offer(self, proof: Proof) -> None:
        """Need no proof."""

    async def give_up(self, proof: Proof) -> None:
        """Need no proof."""

    async def finalize(self, url: str, csr_pem: bytes) -> None:
        """Sign at once."""
        self._signed[url] = await asyncio.to_thread(self._sign, csr_pem)
        self._orders[url] = replace(await self.order(url), status=Status.VALID)

    async def chain(self, url: str) -> str:
        """Return what was signed."""
        return self._signed[url]

    async def revoke(self, certificate_pem: str, reason: RevocationReason) -> None:
        """Agree."""

    def _sign(self, csr_pem: bytes) -> str:
        request, now = x509.load_pem_x509_csr(csr_pem), self._clock()
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self._name)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + _LIFE)
            .add_extension(names.value, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(_PEM).decode()
