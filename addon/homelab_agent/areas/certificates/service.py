"""Certificates: what is shown anywhere, and what is to be said of it."""

import hashlib
import socket
from collections import OrderedDict
from datetime import datetime

from homelab_agent.areas.certificates.endpoint import EndpointReader, Nothing
from homelab_agent.areas.certificates.judge import judge
from homelab_agent.areas.certificates.models import CertificateReport, EndpointBody, Verdict
from homelab_agent.areas.certificates.names import wire_name
from homelab_agent.areas.certificates.parsing import Chain, Unreadable, parse_chain
from homelab_agent.areas.certificates.trust import Distrust, TrustStore
from homelab_agent.platform.clock import Clock

_MOST_REMEMBERED = 2048


class CertificateService:
    """Reads and judges certificates, without having to trust them."""

    def __init__(self, reader: EndpointReader, trust: TrustStore, clock: Clock) -> None:
        self._reader = reader
        self._trust = trust
        self._clock = clock
        self._known: OrderedDict[bytes, Chain] = OrderedDict()

    async def look(self, endpoint: EndpointBody) -> CertificateReport:
        """Return what is found at an address, in one handshake.

        Whatever is wrong with the other side is told by the report.

        Raises:
            GuardedAddress: the agent does not connect to there, unless `allow_guarded` says so.
        """
        try:
            server_name = wire_name(endpoint.server_name or endpoint.host)
        except socket.gaierror:
            return self._nothing(
                Verdict.UNREACHABLE,
                f"No host can be called {endpoint.server_name or endpoint.host}.",
            )
        await self._trust.refresh()
        found = await self._reader.read(endpoint, server_name)
        if isinstance(found, Nothing):
            return self._nothing(found.verdict, found.reason)
        return self.report(found.chain, server_name, protocol=found.protocol, cipher=found.cipher)

    def report(
        self,
        ders: tuple[bytes, ...],
        server_name: str | None,
        *,
        protocol: str | None = None,
        cipher: str | None = None,
    ) -> CertificateReport:
        """Return what is to be said of a chain. `server_name` None: no name is expected of it."""
        now = self._clock()
        try:
            chain = self._parse(ders)
        except Unreadable as error:
            return self._nothing(
                Verdict.NO_CERTIFICATE, f"What is shown is no readable certificate: {error}."
            )
        verdict, reason = judge(chain, server_name, now, protocol, self._distrust)
        return CertificateReport(
            verdict=verdict,
            reason=reason,
            details=chain.details(),
            days_left=days_left(chain.leaf.expires_at, now),
            protocol=protocol,
            cipher=cipher,
            checked_at=now,
        )

    def _distrust(self, chain: Chain) -> Distrust | None:
        return self._trust.distrust(chain.ders, has_rsa_key=chain.leaf.key_type == "RSA")

    def _parse(self, ders: tuple[bytes, ...]) -> Chain:
        key = hashlib.sha256(b"|".join(ders)).digest()
        chain = self._known.get(key)
        if chain is None:
            chain = parse_chain(ders)
            self._known[key] = chain
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return chain

    def _nothing(self, verdict: Verdict, reason: str) -> CertificateReport:
        return CertificateReport(verdict=verdict, reason=reason, checked_at=self._clock())


def days_left(expires_at: datetime, now: datetime) -> int:
    """Return how many whole days are left; negative when it has expired."""
    return (expires_at - now).days
