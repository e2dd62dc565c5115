"""Certificates: what is shown anywhere, and what is to be said of it."""

import hashlib
import socket
from collections import OrderedDict
from typing import Protocol

from homelab_agent.areas.certificates.chain import Chain, Unreadable
from homelab_agent.areas.certificates.handshake import Handshake
from homelab_agent.areas.certificates.judge import judge
from homelab_agent.areas.certificates.ladder import days_left
from homelab_agent.areas.certificates.models import (
    CertificateDetails,
    CertificateReport,
    EndpointBody,
    Verdict,
)
from homelab_agent.areas.certificates.names import wire_name
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.parser import ParseChain, load_parser
from homelab_agent.areas.certificates.trust import Distrust, TrustStore
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.outbound.causes import UnreachableCause

_MOST_REMEMBERED = 2048

type _Read = tuple[Chain, CertificateDetails]


class ChainReader(Protocol):
    """Asks for chains at addresses."""

    async def read(self, endpoint: EndpointBody, server_name: str) -> Handshake | Nothing:
        """Return what is shown there."""
        ...

    async def require_allowed(self, endpoint: EndpointBody) -> None:
        """Raise `GuardedAddress` where the agent does not connect to."""
        ...


class CertificateService:
    """Reads and judges certificates, without having to trust them."""

    def __init__(self, reader: ChainReader, trust: TrustStore, clock: Clock) -> None:
        self._reader = reader
        self._trust = trust
        self._clock = clock
        self._parse_chain: ParseChain | None = None
        self._known: OrderedDict[bytes, _Read] = OrderedDict()

    async def look(self, endpoint: EndpointBody) -> CertificateReport:
        """Return what is found at an address, in one handshake.

        Whatever is wrong with the other side is told by the report.

        Raises:
            GuardedAddress: the agent does not connect to there, unless `allow_guarded` says so.
        """
        try:
            server_name = wire_name(endpoint.server_name or endpoint.host)
        except socket.gaierror:
            return self.nothing(
                Verdict.UNREACHABLE,
                f"No host can be called {endpoint.server_name or endpoint.host}.",
                UnreachableCause.UNKNOWN_HOST,
            )
        await self._prepare()
        found = await self._reader.read(endpoint, server_name)
        if isinstance(found, Nothing):
            return self.nothing(found.verdict, found.reason, found.cause)
        return self._report(found.chain, server_name, protocol=found.protocol, cipher=found.cipher)

    async def judge_shown(self, ders: tuple[bytes, ...], server_name: str) -> CertificateReport:
        """Return what is to be said of a chain that somebody else was shown for a name."""
        await self._prepare()
        return self._report(ders, server_name)

    async def judge_file(self, ders: tuple[bytes, ...]) -> CertificateReport:
        """Return what is to be said of a chain out of a file; no name is expected of it."""
        await self._prepare()
        return self._report(ders, None)

    async def require_allowed(self, endpoint: EndpointBody) -> None:
        """Raise `GuardedAddress` where the agent does not connect to."""
        await self._reader.require_allowed(endpoint)

    def _report(
        self,
        ders: tuple[bytes, ...],
        server_name: str | None,
        *,
        protocol: str | None = None,
        cipher: str | None = None,
    ) -> CertificateReport:
        now = self._clock()
        try:
            chain, details = self._parse(ders)
        except Unreadable as error:
            return self.nothing(
                Verdict.NO_CERTIFICATE, f"What is shown is no readable certificate: {error}."
            )
        verdict, reason = judge(chain, server_name, now, protocol, self._distrust)
        return CertificateReport(
            verdict=verdict,
            reason=reason,
            details=details,
            days_left=days_left(chain.leaf.expires_at, now),
            protocol=protocol,
            cipher=cipher,
            checked_at=now,
        )

    async def _prepare(self) -> None:
        await self._trust.refresh()
        if self._parse_chain is None:
            self._parse_chain = await load_parser()

    def _distrust(self, chain: Chain) -> Distrust | None:
        return self._trust.distrust(chain.ders, has_rsa_key=chain.leaf.key_type == "RSA")

    def _parse(self, ders: tuple[bytes, ...]) -> _Read:
        key = hashlib.sha256(b"|".join(ders)).digest()
        known = self._known.get(key)
        if known is None:
            if self._parse_chain is None:
                raise RuntimeError("the parser was not loaded yet")
            chain = self._parse_chain(ders)
            known = self._known[key] = chain, chain.details()
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return known

    def nothing(
        self, verdict: Verdict, reason: str, cause: UnreachableCause | None = None
    ) -> CertificateReport:
        """Return that there was no certificate to be read, and why."""
        return CertificateReport(
            verdict=verdict, reason=reason, cause=cause, checked_at=self._clock()
        )
