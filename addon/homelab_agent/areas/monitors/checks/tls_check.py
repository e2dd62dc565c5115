"""A certificate: trusted, and good for some days more."""

import asyncio

from homelab_agent.areas.certificates.models import (
    CertificateReport,
    EndpointBody,
    Verdict,
)
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.monitors.check_settings import CheckType, TlsCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import failed, timed_out
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.connections import where
from homelab_agent.platform.outbound.guard import GuardedAddress

_OURS_FIRST_S = 1.0
"""So much later is the deadline of the reading itself, so that it is always ours that ends it."""

_LONGEST_LOOK_S = 60.0

CODES = {
    Verdict.UNREACHABLE: CheckCode.UNREACHABLE,
    Verdict.NO_CERTIFICATE: CheckCode.NO_CERTIFICATE,
    Verdict.EXPIRED: CheckCode.CERTIFICATE_EXPIRED,
    Verdict.NOT_YET_VALID: CheckCode.CERTIFICATE_NOT_YET_VALID,
    Verdict.WRONG_NAME: CheckCode.CERTIFICATE_WRONG_NAME,
    Verdict.WEAK_KEY: CheckCode.CERTIFICATE_WEAK,
    Verdict.WEAK_SIGNATURE: CheckCode.CERTIFICATE_WEAK,
    Verdict.SELF_SIGNED: CheckCode.CERTIFICATE_SELF_SIGNED,
    Verdict.INCOMPLETE_CHAIN: CheckCode.CERTIFICATE_INCOMPLETE,
    Verdict.UNKNOWN_AUTHORITY: CheckCode.CERTIFICATE_UNTRUSTED,
    Verdict.UNTRUSTED: CheckCode.CERTIFICATE_UNTRUSTED,
}


class TlsCheck:
    """Does a handshake and looks at what is shown. The response time is until it is done."""

    type = CheckType.TLS

    def __init__(self, certificates: CertificateService) -> None:
        self._certificates = certificates

    async def run(
        self, settings: TlsCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        place = self.target(settings)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(timeout_s):
                report = await self._certificates.look(
                    EndpointBody(
                        host=settings.host,
                        port=settings.port,
                        server_name=settings.server_name,
                        start_tls=settings.start_tls,
                        timeout_s=min(timeout_s + _OURS_FIRST_S, _LONGEST_LOOK_S),
                        allow_guarded=allow_guarded,
                    )
                )
        except TimeoutError:
            return timed_out(place, timeout_s, "TLS handshake")
        except GuardedAddress as error:
            return failed(error, place)
        return _judge(report, settings, (loop.time() - began) * 1000)

    def target(self, settings: TlsCheckSettings) -> str:
        """Return host and port."""
        return where(settings.host, settings.port)


def _judge(
    report: CertificateReport, settings: TlsCheckSettings, response_ms: float
) -> CheckOutcome:
    details = report.details
    if details is None:
        why = CheckCode(report.cause) if report.cause else CODES[report.verdict]
        known = why is not CheckCode.AGENT_BUSY
        return CheckOutcome(ok=False, known=known, code=why, reason=report.reason)
    code, reason = _wrong(report, settings)
    return CheckOutcome(
        ok=code is None,
        response_ms=response_ms,
        code=code,
        reason=reason,
        certificate_days_left=report.days_left,
        details=(
            MonitorDetail(name="issuer", value=details.issuer),
            MonitorDetail(name="expires_at", value=details.expires_at.isoformat()),
        ),
    )


def _wrong(
    report: CertificateReport, settings: TlsCheckSettings
) -> tuple[CheckCode | None, str | None]:
    if settings.verify and report.verdict is not Verdict.TRUSTED:
        return CODES[report.verdict], report.reason
    if report.days_left is None or report.days_left > settings.days_left:
        return None, None
    place = where(settings.host, settings.port)
    if report.days_left < 0:
        return CheckCode.CERTIFICATE_EXPIRED, f"{place} shows a certificate that has expired."
    return (
        CheckCode.CERTIFICATE_EXPIRING,
        f"{place} shows a certificate that expires in {report.days_left} days.",
    )
