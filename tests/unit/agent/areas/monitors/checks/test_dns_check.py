from typing import Any

import dns.rcode
import pytest
from pydantic import ValidationError

from homelab_agent.areas.monitors.check_settings import DnsCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.dns_check import DnsCheck
from homelab_agent.platform.outbound.connections import Outbound
from tests.fakes.services.name_server import Answerer, knows, name_server, silent, truncated

ENOUGH_S = 20.0
NAME = "nas.lab.example"


@pytest.fixture
def check(outbound: Outbound) -> DnsCheck:
    return DnsCheck(outbound)


async def ask(
    check: DnsCheck, over_udp: Answerer, over_tcp: Answerer = silent, **settings: Any
) -> CheckOutcome:
    async with name_server(over_udp, over_tcp) as server:
        asked = DnsCheckSettings(**({"name": NAME} | settings), server=server.address)
        return await check.run(asked, ENOUGH_S, allow_guarded=False)


@pytest.mark.parametrize(
    ("record", "told", "values"),
    [
        ("A", ["192.0.2.1", "192.0.2.2"], ("192.0.2.2", "192.0.2.1")),
        ("AAAA", ["2001:db8::1"], ("2001:0DB8:0::1",)),
        ("CNAME", ["Web.Lab.Example."], ("web.lab.example",)),
        ("TXT", ['"v=spf1 " "-all"'], ("v=spf1 -all",)),
        ("TXT", ['"v=spf1 -all"'], ('"v=spf1 -all"',)),
        ("MX", ["10 Mail.lab.example."], ("10 mail.lab.example",)),
        ("SRV", ["1 2 443 web.lab.example."], ("1  2 443 web.lab.example.",)),
        ("NS", ["xn--bcher-kva.example."], ("bücher.example",)),
        ("CAA", ['0 issue "letsencrypt.org"'], ('0 issue "letsencrypt.org"',)),
    ],
)
async def test_values_are_compared_in_any_order_and_spelling(
    check: DnsCheck, record: str, told: list[str], values: tuple[str, ...]
) -> None:
    answer = knows(*(f"{NAME}. 60 IN {record} {value}" for value in told))
    outcome = await ask(check, answer, record=record, values=values)
    assert outcome.ok, outcome
    assert outcome.response_ms is not None


@pytest.mark.parametrize("values", [("192.0.2.1",), ("192.0.2.1", "192.0.2.2", "192.0.2.3")])
async def test_a_value_too_many_or_too_few_is_wrong(
    check: DnsCheck, values: tuple[str, ...]
) -> None:
    answer = knows(f"{NAME}. 60 IN A 192.0.2.1", f"{NAME}. 60 IN A 192.0.2.2")
    outcome = await ask(check, answer, values=values)
    assert outcome.code == CheckCode.WRONG_VALUE
    assert "answered 192.0.2.1, 192.0.2.2 for A nas.lab.example" in (outcome.reason or "")


async def test_an_alias_is_followed_to_its_address(check: DnsCheck) -> None:
    answer = knows(f"{NAME}. 60 IN CNAME web.lab.example.", "web.lab.example. 60 IN A 192.0.2.1")
    assert (await ask(check, answer, values=("192.0.2.1",))).ok


async def test_a_name_without_the_record_is_told_so(check: DnsCheck) -> None:
    assert (await ask(check, knows())).code == CheckCode.NO_RECORD


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_server_in_trouble_is_not_a_missing_name(
    check: DnsCheck, rcode: dns.rcode.Rcode
) -> None:
    outcome = await ask(check, knows(rcode=rcode))
    assert outcome.code == CheckCode.DNS_FAILED
    assert dns.rcode.to_text(rcode) in (outcome.reason or "")


async def test_an_answer_too_long_for_a_datagram_is_asked_for_again(check: DnsCheck) -> None:
    answer = knows(f"{NAME}. 60 IN A 192.0.2.1")
    assert (await ask(check, truncated, answer, values=("192.0.2.1",))).ok


async def test_a_question_that_gets_lost_is_asked_again(check: DnsCheck) -> None:
    asked = 0

    def lost_once(wire: bytes) -> bytes | None:
        nonlocal asked
        asked += 1
        return knows(f"{NAME}. 60 IN A 192.0.2.1")(wire) if asked > 1 else None

    assert (await ask(check, lost_once)).ok
    assert asked == 2


async def test_whom_an_address_belongs_to_is_asked_by_the_address(check: DnsCheck) -> None:
    answer = knows("7.2.0.192.in-addr.arpa. 60 IN PTR nas.lab.example.")
    outcome = await ask(check, answer, name="192.0.2.7", record="PTR", values=("nas.lab.example",))
    assert outcome.ok, outcome


async def test_a_name_that_dns_cannot_have_is_told_so(check: DnsCheck) -> None:
    assert (await ask(check, knows(), name="a" * 64)).code == CheckCode.BAD_ADDRESS
    assert (await ask(check, knows(), name="a..b")).code == CheckCode.BAD_ADDRESS


async def test_the_machines_own_name_servers_are_asked_where_none_is_named(
    check: DnsCheck,
) -> None:
    # Whatever they are here, what comes back is an answer about the name and not an error.
    outcome = await check.run(DnsCheckSettings(name="localhost"), 1, allow_guarded=False)
    assert outcome.ok or outcome.reason


@pytest.mark.parametrize("server", ["192.0.2.53", "192.0.2.53:5353", "2001:db8::1", "[::1]:5353"])
def test_a_name_server_is_written_as_people_write_it(check: DnsCheck, server: str) -> None:
    settings = DnsCheckSettings(name=NAME, server=server)
    assert check.target(settings) == f"A {NAME} at {server}"


@pytest.mark.parametrize("server", ["", "nas:99999", "nas/53", "http://nas", "user@nas", "[::1"])
def test_what_is_no_name_server_is_refused(server: str) -> None:
    with pytest.raises(ValidationError, match="server"):
        DnsCheckSettings(name=NAME, server=server)
