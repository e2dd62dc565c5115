import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homelab_agent.areas.certificates.endpoint import EndpointReader
from homelab_agent.areas.certificates.handshake import Handshake
from homelab_agent.areas.certificates.models import EndpointBody, Verdict
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.areas.monitors.check_settings import TlsCheckSettings
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.tls_check import CODES, TlsCheck
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.outbound.causes import cause_of
from homelab_agent.platform.outbound.connections import Outbound
from tests.fakes.services.faults import hangs
from tests.fakes.services.server import serving
from tests.fakes.tls_servers import Authority, Issued, tls_server
from tests.fakes.tls_servers.authority import self_signed

ENOUGH_S = 20.0
NAME = "nas.lab.example"


@pytest.fixture
def check(outbound: Outbound, trusted_file: Path) -> TlsCheck:
    trust = TrustStore(utc_now, trusted_file)
    return TlsCheck(CertificateService(EndpointReader(outbound), trust, utc_now))


def test_every_verdict_has_a_code() -> None:
    assert set(CODES) == set(Verdict) - {Verdict.TRUSTED}


@pytest.mark.parametrize(
    ("make", "code", "at_any"),
    [
        (lambda authority: authority.issue(NAME, days=40), None, None),
        (
            lambda authority: authority.issue(NAME, days=-2),
            CheckCode.CERTIFICATE_EXPIRED,
            CheckCode.CERTIFICATE_EXPIRED,
        ),
        (
            lambda authority: authority.issue(NAME, days=2),
            CheckCode.CERTIFICATE_EXPIRING,
            CheckCode.CERTIFICATE_EXPIRING,
        ),
        (lambda _: self_signed(NAME), CheckCode.CERTIFICATE_SELF_SIGNED, None),
        (
            lambda authority: authority.issue("other.example"),
            CheckCode.CERTIFICATE_WRONG_NAME,
            None,
        ),
        (
            lambda authority: authority.issue(
                NAME, not_before=datetime.now(UTC) + timedelta(days=2)
            ),
            CheckCode.CERTIFICATE_NOT_YET_VALID,
            None,
        ),
        (
            lambda authority: authority.issue(
                NAME, issuer_url="http://ca.lab.example/issuer", is_public=True
            ).sending(),
            CheckCode.CERTIFICATE_INCOMPLETE,
            None,
        ),
    ],
)
async def test_a_certificate_has_to_be_trusted_and_good_for_some_days(
    check: TlsCheck,
    authority: Authority,
    tmp_path: Path,
    make: Callable[[Authority], Issued],
    code: CheckCode | None,
    at_any: CheckCode | None,
) -> None:
    async with tls_server(make(authority), tmp_path) as server:
        settings = TlsCheckSettings(host="127.0.0.1", port=server.port, server_name=NAME)
        outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
        assert outcome.code == code, outcome
        assert outcome.response_ms is not None
        assert outcome.certificate_days_left is not None
        anyhow = settings.model_copy(update={"verify": False})
        # Whoever takes any certificate still wants to know that it ends.
        taken = await check.run(anyhow, ENOUGH_S, allow_guarded=False)
        assert taken.code == at_any, taken


async def test_how_many_days_are_enough_can_be_said(
    check: TlsCheck, authority: Authority, tmp_path: Path
) -> None:
    async with tls_server(authority.issue(NAME, days=20.5), tmp_path) as server:
        for days_left, ok in ((19, True), (20, False)):
            settings = TlsCheckSettings(
                host="127.0.0.1", port=server.port, server_name=NAME, days_left=days_left
            )
            assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).ok is ok


async def test_a_handshake_that_stalls_keeps_the_deadline_of_the_monitor(check: TlsCheck) -> None:
    async with serving(hangs) as service:
        settings = TlsCheckSettings(host=service.host, port=service.port)
        outcome = await check.run(settings, 0.4, allow_guarded=False)
    assert outcome.code == CheckCode.TIMED_OUT
    assert "within 0.4 s" in (outcome.reason or "")


async def test_an_agent_at_its_own_limit_blames_no_server(trusted_file: Path) -> None:
    class Exhausted:
        async def read(self, endpoint: EndpointBody, _server_name: str) -> Handshake | Nothing:
            error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return Nothing(Verdict.UNREACHABLE, f"{endpoint.host}: {error}", cause_of(error))

        async def require_allowed(self, endpoint: EndpointBody) -> None:
            raise NotImplementedError

    trust = TrustStore(utc_now, trusted_file)
    check = TlsCheck(CertificateService(Exhausted(), trust, utc_now))
    settings = TlsCheckSettings(host="nas.lab.example")
    outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
    assert (outcome.known, outcome.code) == (False, CheckCode.AGENT_BUSY)
