import asyncio
from typing import Any

import pytest

from homelab_agent.areas.monitors.check_settings import TcpCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.tcp_check import TcpCheck
from homelab_agent.platform.outbound.connections import Outbound
from tests.fakes.services.faults import hangs
from tests.fakes.services.server import Talk, serving

ENOUGH_S = 20.0


@pytest.fixture
def check(outbound: Outbound) -> TcpCheck:
    return TcpCheck(outbound)


async def ask(check: TcpCheck, talk: Talk, **settings: Any) -> CheckOutcome:
    async with serving(talk) as service:
        asked = TcpCheckSettings(host=service.host, port=service.port, **settings)
        return await check.run(asked, ENOUGH_S, allow_guarded=False)


async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readline()
    for piece in (b"+PO", b"NG\r\n") if asked == b"PING\r\n" else (b"-ERR\r\n",):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)  # so that it comes in pieces
    await hangs(reader, writer)


async def test_a_port_where_somebody_listens_is_right(check: TcpCheck) -> None:
    outcome = await ask(check, hangs)
    assert outcome.ok
    assert outcome.response_ms is not None


async def test_an_answer_that_comes_in_pieces_is_heard(check: TcpCheck) -> None:
    assert (await ask(check, redis, send="PING\r\n", expect="+PONG")).ok


async def test_another_answer_is_wrong_when_the_time_is_over(check: TcpCheck) -> None:
    async with serving(redis) as service:
        settings = TcpCheckSettings(
            host=service.host, port=service.port, send="HELLO\r\n", expect="+PONG"
        )
        outcome = await check.run(settings, 0.4, allow_guarded=False)
    assert outcome.code == CheckCode.TIMED_OUT
    assert 'no "+PONG" within 0.4 s' in (outcome.reason or "")


async def test_a_host_of_either_family_is_reached_by_its_name(check: TcpCheck) -> None:
    for host in ("127.0.0.1", "::1"):
        async with serving(hangs, host=host) as service:
            settings = TcpCheckSettings(host="localhost", port=service.port)
            assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).ok


def test_an_address_is_shown_as_people_write_it(check: TcpCheck) -> None:
    assert check.target(TcpCheckSettings(host="nas", port=22)) == "nas:22"
    assert check.target(TcpCheckSettings(host="2001:db8::1", port=22)) == "[2001:db8::1]:22"
