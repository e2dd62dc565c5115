import pytest

from homelab_agent.areas.monitors.check_settings import VncCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.vnc_check import VncCheck
from homelab_agent.platform.outbound.connections import Outbound
from tests.fakes.services.faults import says
from tests.fakes.services.home import vnc
from tests.fakes.services.server import Talk, serving

ENOUGH_S = 20.0


@pytest.fixture
def check(outbound: Outbound) -> VncCheck:
    return VncCheck(outbound)


async def ask(check: VncCheck, talk: Talk) -> CheckOutcome:
    async with serving(talk) as service:
        settings = VncCheckSettings(host=service.host, port=service.port)
        return await check.run(settings, ENOUGH_S, allow_guarded=False)


def details(outcome: CheckOutcome) -> dict[str, object]:
    return {detail.name: detail.value for detail in outcome.details}


@pytest.mark.parametrize(
    ("greeting", "protocol"),
    [
        (b"RFB 003.003\n", "3.3"),
        (b"RFB 003.007\n", "3.7"),
        (b"RFB 003.008\n", "3.8"),
        (b"RFB 003.889\n", "3.889"),  # Apple
        (b"RFB 004.001\n", "4.1"),  # RealVNC
    ],
)
async def test_servers_of_every_version_are_understood(
    check: VncCheck, greeting: bytes, protocol: str
) -> None:
    outcome = await ask(check, vnc((2,), greeting=greeting))
    assert outcome.ok, outcome
    assert outcome.warning is None
    assert details(outcome) == {"protocol": protocol, "security": "VNC password"}


@pytest.mark.parametrize("greeting", [b"RFB 003.003\n", b"RFB 003.008\n"])
async def test_a_screen_without_a_password_is_warned_of(check: VncCheck, greeting: bytes) -> None:
    outcome = await ask(check, vnc((1, 2), greeting=greeting))
    assert outcome.ok
    assert "asks for no password" in (outcome.warning or "")


@pytest.mark.parametrize("greeting", [b"RFB 003.003\n", b"RFB 003.008\n"])
async def test_a_server_that_lets_nobody_in_says_why(check: VncCheck, greeting: bytes) -> None:
    outcome = await ask(check, vnc((), greeting=greeting, why=b"No more clients allowed"))
    assert outcome.code == CheckCode.REFUSED
    assert "No more clients allowed" in (outcome.reason or "")


async def test_a_server_that_takes_checks_for_failed_logins_is_up(check: VncCheck) -> None:
    why = b"Too many security failures"
    outcome = await ask(check, vnc((), greeting=b"RFB 003.003\n", why=why))
    assert outcome.ok
    assert "has locked the agent's address out" in (outcome.warning or "")


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_10\r\n", b"RFB abc.def\n"])
async def test_another_kind_of_server_is_told_so(check: VncCheck, greeting: bytes) -> None:
    assert (await ask(check, says(greeting))).code == CheckCode.BAD_ANSWER
