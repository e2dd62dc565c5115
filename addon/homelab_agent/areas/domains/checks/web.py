"""What is served at the addresses of a domain: are they there, is HTTPS right, for how long."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from homelab_agent.areas.certificates.models import CertificateReport, EndpointBody, Verdict
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.domains.checks.page import HTTP_PORT, HTTPS_PORT, Page, Pages, Reach
from homelab_agent.areas.domains.models import CheckName, CheckResult, DomainCheck
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.outbound.guard import GuardedAddress

MOST_ADDRESSES = 8
"""So many are looked at. Whoever has more has somebody who looks after them."""

SERVER_ERROR = 500
LAST_PART = 5
"""A certificate whose last fifth has begun should have been renewed: that is done at a third."""

_TOLERABLE = frozenset({Verdict.INCOMPLETE_CHAIN, Verdict.WEAK_KEY, Verdict.WEAK_SIGNATURE})
"""Some clients still take these."""

_UNTRUSTED = frozenset({Verdict.SELF_SIGNED, Verdict.UNKNOWN_AUTHORITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What was found."""

    checks: tuple[DomainCheck, ...]
    https_status: int | None = None
    response_ms: float | None = None
    certificate_expires_at: datetime | None = None
    certificate_days_left: int | None = None

    @property
    def is_reached(self) -> bool:
        """Whether anybody took a connection."""
        return self.checks[0].result in {CheckResult.OK, CheckResult.WARNING}


class WebCheck:
    """Looks at every address of a name as a browser would."""

    def __init__(self, pages: Pages, certificates: CertificateService, clock: Clock) -> None:
        self._pages = pages
        self._certificates = certificates
        self._clock = clock

    async def https(self, name: str, addresses: Sequence[str], *, port: int = HTTPS_PORT) -> Served:
        """Return what is served by HTTPS. There is at least one address."""
        pages = await asyncio.gather(
            *(self._pages.https(name, address, port) for address in addresses[:MOST_ADDRESSES])
        )
        seen = [page for page in pages if page.reach is Reach.CONNECTED]
        reachable = await self._reachable(pages)
        if not seen:
            skipped = (_check(CheckName.HTTPS), _check(CheckName.CERTIFICATE))
            return Served(checks=(reachable, *skipped))
        reports = {
            page.address: await self._judged(name, page)
            for page in seen
            if page.chain or page.trouble
        }
        answered = next((page for page in seen if page.status is not None), None)
        worst = _soonest(reports.values())
        return Served(
            checks=(reachable, _answer(seen), self._certificate(reports)),
            https_status=answered.status if answered else None,
            response_ms=answered.response_ms if answered else None,
            certificate_expires_at=worst.details.expires_at if worst and worst.details else None,
            certificate_days_left=worst.days_left if worst else None,
        )

    async def http(self, addresses: Sequence[str]) -> Served:
        """Return whether anybody is there; what is served without HTTPS is not looked at."""
        some = addresses[:MOST_ADDRESSES]
        found = await asyncio.gather(*(self._pages.connects(each, HTTP_PORT) for each in some))
        lost = [each for each, is_there in zip(some, found, strict=True) if not is_there]
        return Served(
            checks=(
                _reached(lost, len(some), f"nobody answers at port {HTTP_PORT}"),
                _check(CheckName.HTTPS),
                _check(CheckName.CERTIFICATE),
            )
        )

    async def misled(self, upstreams: Sequence[str]) -> str | None:
        """See `Pages.misled`."""
        return await self._pages.misled(upstreams)

    async def _reachable(self, pages: Sequence[Page]) -> DomainCheck:
        lost = [page for page in pages if page.reach is Reach.FAILED]
        no_way = [page for page in pages if page.reach is Reach.NO_WAY]
        if len(no_way) == len(pages):
            return _check(
                CheckName.REACHABLE,
                CheckResult.UNKNOWN,
                f"This agent's machine has no way to {no_way[0].address}, so it cannot be seen "
                "from here. Give the machine IPv6, or an address of the other family to the name.",
            )
        if not lost:
            return _check(CheckName.REACHABLE, CheckResult.OK)
        hint = ""
        if len(lost) == len(pages) and await self._pages.connects(lost[0].address, HTTP_PORT):
            hint = f". At port {HTTP_PORT} somebody answers, so HTTPS is not served at all"
        why = (lost[0].trouble or "").rstrip(".")
        return _reached([page.address for page in lost], len(pages) - len(no_way), why + hint)

    async def _judged(self, name: str, page: Page) -> CertificateReport:
        if page.chain:
            return await self._certificates.judge_shown(page.chain, name)
        # It did not speak with us at all: the certificates' own way tells more of why.
        try:
            return await self._certificates.look(EndpointBody(host=page.address, server_name=name))
        except GuardedAddress as error:
            return self._certificates.nothing(Verdict.UNREACHABLE, error.message)

    def _certificate(self, reports: Mapping[str, CertificateReport]) -> DomainCheck:
        if not reports:
            return _check(CheckName.CERTIFICATE)
        checks = [self._verdict(address, report) for address, report in reports.items()]
        order = (CheckResult.OK, CheckResult.UNKNOWN, CheckResult.WARNING, CheckResult.FAILED)
        return max(checks, key=lambda each: order.index(each.result))

    def _verdict(self, address: str, report: CertificateReport) -> DomainCheck:
        if report.verdict is Verdict.TRUSTED:
            return self._lasting(report)
        if report.verdict is Verdict.UNREACHABLE:
            return _check(CheckName.CERTIFICATE, CheckResult.UNKNOWN, report.reason)
        result = CheckResult.WARNING if report.verdict in _TOLERABLE else CheckResult.FAILED
        remedy = _remedy(report.verdict)
        return _check(
            CheckName.CERTIFICATE,
            result,
            f"{report.reason or report.verdict} ({address}). {remedy}",
        )

    def _lasting(self, report: CertificateReport) -> DomainCheck:
        details = report.details
        if details is None:
            return _check(CheckName.CERTIFICATE, CheckResult.OK)
        left = details.expires_at - self._clock()
        whole = details.expires_at - details.not_before
        if left * LAST_PART > max(whole, timedelta(hours=1)):
            return _check(CheckName.CERTIFICATE, CheckResult.OK)
        return _check(
            CheckName.CERTIFICATE,
            CheckResult.WARNING,
            f"The certificate ends on {details.expires_at:%Y-%m-%d} and was not renewed in time. "
            "Look at why its renewal fails.",
        )


def _answer(seen: Sequence[Page]) -> DomainCheck:
    """Return how HTTPS is at the addresses that can be reached."""
    wrong = [page for page in seen if page.status is None or page.status >= SERVER_ERROR]
    if not wrong:
        return _check(CheckName.HTTPS, CheckResult.OK)
    first = wrong[0]
    what = f"{first.trouble}."
    if first.status is not None:
        what = (
            f"{first.address} answers {first.status}. Look at what is behind it: the proxy is "
            "there, the service is not well."
        )
    result = CheckResult.FAILED if len(wrong) == len(seen) else CheckResult.WARNING
    return _check(CheckName.HTTPS, result, what)


def _reached(lost: Sequence[str], out_of: int, why: str) -> DomainCheck:
    if not lost:
        return _check(CheckName.REACHABLE, CheckResult.OK)
    if len(lost) < out_of:
        return _check(
            CheckName.REACHABLE,
            CheckResult.WARNING,
            f"{why}. Its other addresses answer; remove the record of this one, or have it served.",
        )
    return _check(
        CheckName.REACHABLE,
        CheckResult.FAILED,
        f"{why}. Look whether the service runs, and whether the router forwards the port.",
    )


def _remedy(verdict: Verdict) -> str:
    if verdict in _UNTRUSTED:
        return "If that authority is your own, name it to the agent in trusted_ca_file."
    if verdict is Verdict.WRONG_NAME:
        return "Have a certificate issued that names this domain."
    return "Have a new certificate issued."


def _soonest(reports: Iterable[CertificateReport]) -> CertificateReport | None:
    """Return that of the certificate that ends first."""
    ends = {each.details.expires_at: each for each in reports if each.details is not None}
    return ends[min(ends)] if ends else None


def _check(
    name: CheckName, result: CheckResult = CheckResult.SKIPPED, reason: str | None = None
) -> DomainCheck:
    return DomainCheck(name=name, result=result, reason=reason)
