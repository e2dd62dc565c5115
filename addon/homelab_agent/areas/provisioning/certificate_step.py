"""How a domain gets its certificate, and how it is taken back."""

import asyncio
import hashlib
import re

from homelab_agent.areas.certificates.models import CertificateReport, Verdict
from homelab_agent.areas.provisioning.arguments import Before
from homelab_agent.areas.provisioning.authority_words import AuthorityWords
from homelab_agent.areas.provisioning.front import Front
from homelab_agent.areas.provisioning.models import CertificateWay
from homelab_agent.areas.provisioning.partners import Certificates, Proxy
from homelab_agent.areas.provisioning.patience import Patience, deadline, until_possible
from homelab_agent.areas.proxy.models import RouteCertificate
from homelab_agent.areas.renewal.models import (
    HandOver,
    IssueBody,
    ManagedCertificate,
    ManagedOrigin,
)
from homelab_agent.platform.errors import Conflict, TimedOut
from homelab_agent.platform.jobs.progress import report

_LOOK_AGAIN_S = 0.25
_KEY = re.compile(r"[a-z0-9_][a-z0-9._-]{0,127}")
_NOT_THERE = frozenset({Verdict.UNREACHABLE, Verdict.NO_CERTIFICATE, Verdict.WRONG_NAME})


class CertificateStep:
    """Gets a certificate in each of the three ways, until the proxy shows it."""

    def __init__(
        self, certificates: Certificates, front: Front, words: AuthorityWords, patience: Patience
    ) -> None:
        self._certificates = certificates
        self._front = front
        self._words = words
        self._patience = patience

    async def get(self, name: str, way: CertificateWay) -> str:
        """Get it; return what to say of it.

        Raises:
            TimedOut: it did not come; with the authority's words where they can be known.
        """
        if way is not CertificateWay.CADDY:
            async with deadline(
                self._patience.certificate_s + self._patience.propagation_s,
                "Getting the certificate",
                "Look at what the certificate says of its last try.",
            ):
                await self._certificates.obtain(self._order(name, way))
        shown = await self._until_shown(name, way)
        issuer = f" of {shown.details.issuer}" if shown.details else ""
        return f"The proxy has a certificate{issuer}."

    async def take_back(self, name: str, way: CertificateWay, before: Before) -> str:
        """Have the agent's certificates as they were. What Caddy has got for itself is its own."""
        if way is CertificateWay.DNS_01 and before.certificate is None:
            return await self.discard(key_of(name), within_s=self._patience.undo_s)
        if way is CertificateWay.MANAGED and before.certificate and not before.handed_over:
            return await self.discard(before.certificate, within_s=self._patience.undo_s)
        return "Nothing was to be taken back."

    async def discard(self, key: str, *, within_s: float) -> str:
        """Take back what was ordered, or handed to the proxy, for a domain alone."""
        await until_possible(
            lambda: self._certificates.discard(key),
            what="Discarding the certificate",
            within_s=within_s,
            try_s=self._patience.step_s,
        )
        return "The certificate is as it was before the domain was provisioned."

    async def get_again(self, name: str, key: str) -> str:
        """Have a certificate again that was given away when a domain was to be taken back."""

        async def obtain() -> None:
            await self._certificates.obtain(issue_body(name, key))

        await until_possible(
            obtain,
            what="Getting the certificate again",
            within_s=self._patience.undo_s,
            try_s=self._patience.certificate_s + self._patience.propagation_s,
        )
        return "The certificate is there again."

    def _order(self, name: str, way: CertificateWay) -> IssueBody:
        if way is CertificateWay.DNS_01:
            return issue_body(name, key_of(name))
        found = self._certificates.find_for(name)
        if found is None:
            raise Conflict(
                f"The agent has no valid certificate for {name} any more.",
                field="certificate",
                hint="Upload one, or issue it.",
            )
        return issue_body(name, found.key)

    async def _until_shown(self, name: str, way: CertificateWay) -> CertificateReport:
        clock = asyncio.get_running_loop().time
        begun = clock()
        while True:
            found = await self._front.certificate(name)
            if found.verdict not in _NOT_THERE:
                return found
            waited_s = clock() - begun
            if waited_s > self._patience.certificate_s:
                break
            report(
                waited_s / self._patience.certificate_s,
                f"Waiting for the certificate: {found.reason or found.verdict}",
            )
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise await self._timed_out(name, way, found)

    async def _timed_out(self, name: str, way: CertificateWay, last: CertificateReport) -> TimedOut:
        said = await self._words.about(name) if way is CertificateWay.CADDY else None
        words = f' The authority says: "{said}"' if said else ""
        return TimedOut(
            f"The proxy has no certificate for {name} after {self._patience.certificate_s:g} s: "
            f"{last.reason or last.verdict}{words}",
            hint="Ports 80 and 443 of the address must lead to the proxy, and the name to the "
            'address. "dns_01" needs neither.'
            if way is CertificateWay.CADDY
            else "Look at what Caddy says in its log.",
        )


def key_of(name: str) -> str:
    """Return the key of the certificate that is ordered for a domain of one's own."""
    if _KEY.fullmatch(name):
        return name
    return hashlib.sha256(name.encode()).hexdigest()


def issue_body(name: str, key: str) -> IssueBody:
    """Return the order for a domain's certificate; one that is good already is taken."""
    return IssueBody(names=(name,), key=key, hand_over=HandOver(caddy=True))


def own_certificate(name: str, certificates: Certificates) -> ManagedCertificate | None:
    """Return the certificate that was ordered for this domain and for the proxy alone, if any."""
    found = certificates.find(key_of(name))
    if found is None or found.origin is not ManagedOrigin.ACME:
        return None
    is_alone = found.names == (name,) and found.hand_over == HandOver(caddy=True)
    return found if is_alone else None


def given_back(name: str, certificates: Certificates, proxy: Proxy) -> ManagedCertificate | None:
    """Return the certificate that goes when a domain goes; None where another route needs it."""
    found = certificates.obtained_for(name)
    # One that was ordered before Caddy was to get its own would else be renewed for ever.
    if found is None or found.names == (name,):
        return found
    needing = {each.key for each in proxy.routes() if each.certificate is RouteCertificate.MANAGED}
    if name not in needing:
        return None
    for other in needing - {name}:
        used = certificates.obtained_for(other)
        if used is not None and used.key == found.key:
            return None
    return found
