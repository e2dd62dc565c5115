"""What is said of a domain's health, with real name servers and real HTTPS behind the names."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.https_site import HttpsSite, https_site
from tests.fakes.tls_servers import Authority, make_authority
from tests.harness.agent import Agent
from tests.harness.knot import Knot
from tests.harness.name_servers import own_address
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

ZONE = "lab.example"


@dataclass
class Lab:
    """An agent, the name servers of its zone, and a site."""

    agent: Agent
    token: str
    knot: Knot
    site: HttpsSite
    authority: Authority
    folder: Path
    nobody: str
    """An address at which nobody listens."""

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.agent.ask(method, path, body, token=self.token)
        assert status == 200, answer
        return answer

    async def health(self, label: str, *records: dict[str, object], **more: object) -> Any:
        """Return what is found at a new domain of this label."""
        name = f"{label}.{ZONE}"
        await self.ask("POST", "/domains", {"name": name, "records": records, **more})
        return await self.look(label)

    async def look(self, label: str) -> Any:
        return await self.ask("POST", f"/domains/{label.replace('*', '%2A')}.{ZONE}/check")


def a(*values: str) -> dict[str, object]:
    return {"type": "A", "values": values}


def results(health: Any) -> dict[str, str]:
    return {each["name"]: each["result"] for each in health["checks"]}


@asynccontextmanager
async def made_lab(tmp_path: Path) -> AsyncIterator[Lab]:
    address, nobody = own_address(), own_address()
    authority = make_authority()
    (tmp_path / "ca.pem").write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    zone = f"""
www A {address}
* A {address}
alias CNAME www
circle1 CNAME circle2
circle2 CNAME circle1
two A {address}
two A {nobody}
none A {nobody}
six AAAA ::1
bad A {nobody}
mail A {nobody}
mail MX 10 mail
_check TXT "v=1; ok"
"""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(
            https_site(authority.issue(f"*.{ZONE}", days=80), tmp_path, address)
        )
        knot = await stack.enter_async_context(Knot({ZONE: zone}))
        agent = await stack.enter_async_context(
            Agent(
                tmp_path / "agent",
                demo=False,
                settings={
                    "HOMELAB_DNS_RESOLVERS": knot.primary.address,
                    "HOMELAB_TRUSTED_CA_FILE": str(tmp_path / "ca.pem"),
                },
            )
        )
        token = await agent.create_token()
        yield Lab(agent, token, knot, site, authority, tmp_path, nobody)


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(tmp_path: Path) -> AsyncIterator[Lab]:
    """One of its own, for what counts requests or ends name servers."""
    async with made_lab(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with made_lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def lab(shared: Lab) -> AsyncIterator[Lab]:
    """All tests' together; afterwards it has no domains, as before."""
    yield shared
    shared.site.status = 200
    for domain in (await shared.ask("GET", "/domains"))["domains"]:
        await shared.ask("DELETE", f"/domains/{domain['id'].replace('*', '%2A')}")


async def test_a_domain_that_is_well_is_healthy_with_all_there_is_to_know(fresh: Lab) -> None:
    health = await fresh.health("www", a(fresh.site.address))
    assert results(health) == {
        "records": "ok",
        "reachable": "ok",
        "https": "ok",
        "certificate": "ok",
        "proxy": "skipped",
    }
    assert (health["status"], health["reason"], health["https_status"]) == ("healthy", None, 200)
    assert health["addresses"] == [fresh.site.address]
    assert 78 <= health["certificate_days_left"] <= 80
    assert {each["address"] for each in health["servers"]} == {
        fresh.knot.primary.address,
        fresh.knot.second.address,
    }
    domain = await fresh.ask("GET", f"/domains/www.{ZONE}")
    assert domain["status"] == "healthy"
    assert domain["certificate_expires_at"] == health["certificate_expires_at"]
    assert fresh.site.asked == [f"www.{ZONE}"] * len(fresh.site.asked)


async def test_names_are_followed_and_wildcards_asked_for_a_name_below(fresh: Lab) -> None:
    alias = await fresh.health("alias", {"type": "CNAME", "values": [f"www.{ZONE}"]})
    assert (alias["status"], alias["addresses"]) == ("healthy", [fresh.site.address])
    wild = await fresh.health("*", a(fresh.site.address))
    assert wild["status"] == "healthy"
    assert fresh.site.asked[-1] == f"homelab-check.{ZONE}"
    circle = await fresh.health("circle1", {"type": "CNAME", "values": [f"circle2.{ZONE}"]})
    assert results(circle)["reachable"] == "failed"
    assert "leads to no address" in circle["reason"]
    seen_only = await fresh.health("anything")
    assert (seen_only["status"], seen_only["addresses"]) == ("healthy", [fresh.site.address])


async def test_wrong_records_are_told_with_what_is_there_and_what_should_be(lab: Lab) -> None:
    health = await lab.health("www", a(lab.nobody))
    assert results(health)["records"] == "failed"
    for part in (lab.site.address, lab.nobody, "every name server", "apply"):
        assert part in health["reason"]
    missing = await lab.health("new", {"type": "TXT", "values": ["hello"]}, service_type="other")
    assert "missing" in missing["reason"]


async def test_one_name_server_behind_or_silent_degrades_and_is_named(fresh: Lab) -> None:
    await fresh.health("www", a(fresh.site.address))
    fresh.knot.transfers.hold()
    await fresh.knot.edit(ZONE, put=("late 300 A 127.0.0.9",))
    late = await fresh.health("late", a("127.0.0.9"), service_type="other")
    # The wildcard answers at the second one.
    assert results(late)["records"] == "warning"
    assert f"ns2.{ZONE}" in late["reason"]
    fresh.knot.second.pause()
    try:
        silent = await fresh.look("www")
    finally:
        fresh.knot.second.resume()
    assert silent["status"] == "degraded"
    assert f"ns2.{ZONE}" in silent["reason"]
    assert results(silent)["https"] == "ok"


async def test_when_no_name_server_answers_it_is_not_said_that_the_site_is_down(fresh: Lab) -> None:
    await fresh.health("www", a(fresh.site.address))
    await fresh.health("none", a(fresh.nobody))
    for server in (fresh.knot.primary, fresh.knot.second):
        await server.stop()
    served = await fresh.look("www")
    assert (served["status"], results(served)["https"]) == ("degraded", "ok")
    gone = await fresh.look("none")
    assert gone["status"] == "unknown"
    assert "name servers" in gone["reason"]


async def test_an_outage_is_told_after_two_looks_and_its_end_at_once(lab: Lab) -> None:
    first = await lab.health("none", a(lab.nobody))
    assert results(first)["reachable"] == "failed"
    assert lab.nobody in first["reason"]

    async def told() -> bool:
        return bool((await lab.ask("GET", f"/domains/none.{ZONE}"))["status"] == "unhealthy")

    # The agent itself looks a second time, soon.
    await lab.look("none")
    await wait_until(told, what="the outage to be told")
    issued = lab.authority.issue(f"none.{ZONE}")
    async with https_site(issued, lab.folder, lab.nobody):
        assert (await lab.look("none"))["status"] == "healthy"
    events = (await lab.ask("GET", f"/domains/none.{ZONE}/events"))["events"]
    assert [each["type"] for each in events] == ["recovered", "unhealthy", "created"]


async def test_a_service_behind_the_proxy_that_is_not_well(lab: Lab) -> None:
    lab.site.status = 502
    health = await lab.health("www", a(lab.site.address))
    assert results(health)["https"] == "failed"
    assert (health["https_status"], "502" in health["reason"]) == (502, True)
    lab.site.status = 404
    assert (await lab.look("www"))["status"] == "healthy"


@pytest.mark.parametrize(
    ("names", "days", "result", "words"),
    [
        ((f"bad.{ZONE}",), -2.0, "failed", "expired"),
        (("other.example",), 60.0, "failed", "names this domain"),
        ((f"bad.{ZONE}",), 5.0, "warning", "not renewed in time"),
    ],
    ids=["expired", "of another name", "about to end"],
)
async def test_what_is_wrong_with_a_certificate_is_told(
    lab: Lab, names: tuple[str, ...], days: float, result: str, words: str
) -> None:
    async with https_site(lab.authority.issue(*names, days=days), lab.folder, lab.nobody):
        health = await lab.health("bad", a(lab.nobody))
    assert results(health)["certificate"] == result
    assert words in health["reason"]


async def test_an_authority_that_nobody_knows_is_told_with_the_way_to_trust_it(lab: Lab) -> None:
    own = make_authority("Own")
    async with https_site(own.issue(f"bad.{ZONE}"), lab.folder, lab.nobody):
        health = await lab.health("bad", a(lab.nobody))
    assert results(health)["certificate"] == "failed"
    assert "trusted_ca_file" in health["reason"]


async def test_one_of_two_addresses_that_is_dead_degrades(lab: Lab) -> None:
    health = await lab.health("two", a(lab.site.address, lab.nobody))
    assert (health["status"], results(health)["reachable"]) == ("degraded", "warning")
    assert lab.nobody in health["reason"]


async def test_a_name_with_ipv6_alone_is_looked_at_there(lab: Lab) -> None:
    async with https_site(lab.authority.issue(f"six.{ZONE}"), lab.folder, "::1"):
        health = await lab.health("six", {"type": "AAAA", "values": ["::1"]})
    assert (health["status"], health["addresses"]) == ("healthy", ["::1"])


async def test_where_the_agent_must_not_be_sent_is_not_asked(lab: Lab) -> None:
    await lab.knot.edit(ZONE, put=("cloud 300 A 169.254.169.254",))
    await lab.knot.wait_until_in_step(ZONE)
    health = await lab.health("cloud", a("169.254.169.254"))
    assert results(health)["reachable"] == "failed"
    assert "does not connect to there" in health["reason"]


async def test_mail_and_verification_are_not_asked_for_https(lab: Lab) -> None:
    mail = await lab.health(
        "mail",
        a(lab.nobody),
        {"type": "MX", "values": [f"10 mail.{ZONE}"]},
        service_type="mail",
    )
    assert (mail["status"], results(mail)["https"]) == ("healthy", "skipped")
    text = await lab.health(
        "_check", {"type": "TXT", "values": ["v=1; ok"]}, service_type="verification"
    )
    assert text["status"] == "healthy"
