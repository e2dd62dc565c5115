"""What others do meanwhile stays, and what they say is told: people, name servers, an authority."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fakes.gated_relay import Way
from tests.harness.waiting import wait_until
from tests.lab.provisioning_faults import once_at
from tests.lab.provisioning_world import (
    QUICK_BUT_FOR_CERTIFICATES,
    ZONE,
    ProvisioningWorld,
    provisioning_world,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

REFUSED = f"refused.{ZONE}"
THEIRS = "192.0.2.99"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProvisioningWorld]:
    options = {"refused_domains": (REFUSED,)}
    async with provisioning_world(
        tmp_path_factory.mktemp("world"),
        settings=QUICK_BUT_FOR_CERTIFICATES,
        pebble_options=options,
    ) as made:
        yield made


async def test_a_site_that_somebody_adds_to_caddy_meanwhile_stays(
    world: ProvisioningWorld,
) -> None:
    name = f"meanwhile.{ZONE}"
    route = {
        "match": [{"host": ["other.test"]}],
        "handle": [{"handler": "static_response", "body": "the other site"}],
    }

    async def add_site() -> None:
        answer = await world.caddy.call("PUT", "/config/apps/http/servers/main/routes/0", route)
        assert answer.status == 200, answer

    once_at(world, name, "reload", add_site)
    job = await world.ended(await world.provision(name, certificate="dns_01"))
    world.open_gates()

    assert job["outcome"] == "done", job
    assert await world.serves(name)
    assert "other.test" in await world.caddy.config_text()
    await world.ended(await world.deprovision(name))
    assert "other.test" in await world.caddy.config_text()
    await world.caddy.call("DELETE", "/config/apps/http/servers/main/routes/0")


async def test_a_record_that_somebody_writes_between_plan_and_change_stays_and_is_told(
    world: ProvisioningWorld,
) -> None:
    name = f"raced.{ZONE}"
    before = await world.picture()

    async def write() -> None:
        await world.knot.edit(ZONE, put=(f"{name}. 60 A {THEIRS}",))

    once_at(world, name, "dns_apply", write)
    job = await world.ended(await world.provision(name))
    world.open_gates()

    assert job["outcome"] == "undone", job
    assert "dns_apply" in job["error"]["message"]
    assert await world.knot.primary.ask(name, "A") == (THEIRS,)
    await world.knot.edit(ZONE, drop=(f"{name}.",))
    assert await world.picture() == before


async def test_a_record_that_somebody_changes_later_stays_when_the_rest_is_taken_back(
    world: ProvisioningWorld,
) -> None:
    name = f"later.{ZONE}"
    before = await world.picture()

    async def change() -> None:
        await world.knot.edit(ZONE, drop=(f"{name}. A",), put=(f"{name}. 60 A {THEIRS}",))
        await world.docker.stop(world.container)

    once_at(world, name, "https_health", change)
    try:
        job = await world.ended(await world.provision(name, certificate="dns_01"))
    finally:
        world.open_gates()
        await world.docker.start(world.container)

    assert job["outcome"] == "undone", job
    assert "https_health" in job["error"]["message"]
    assert "no answer from the container" in job["error"]["message"]
    assert "Somebody else" in job["message"]
    assert await world.knot.primary.ask(name, "A") == (THEIRS,)
    await world.knot.edit(ZONE, drop=(f"{name}.",))
    assert await world.picture() == before


async def test_the_authoritys_own_words_are_told_when_it_refuses(world: ProvisioningWorld) -> None:
    before = await world.picture()

    job = await world.ended(await world.provision(REFUSED, certificate="dns_01"))

    assert job["outcome"] == "undone", job
    message: str = job["error"]["message"]
    assert message.startswith("Step certificate")
    assert "olicy" in message, message
    assert await world.picture() == before


async def test_a_name_server_that_is_away_while_a_certificate_is_taken_back_keeps_no_proof(
    world: ProvisioningWorld,
) -> None:
    name, lost = f"unproven.{ZONE}", list[str | None]()
    before = await world.picture()

    async def gate(relay: str, _question: bytes) -> Way:
        step = await world.step_of(name) if relay == "dns" else None
        if relay != "dns" or not (lost or step == "certificate"):
            return Way.PASS
        lost.append(step)
        return Way.CUT

    async def is_lost_on_the_way_back() -> bool:
        return None in lost

    world.set_gate(gate)
    job_id = await world.provision(name, certificate="dns_01")
    try:
        await wait_until(is_lost_on_the_way_back, what="the way back", within_s=60)
    finally:
        world.open_gates()
    job = await world.ended(job_id)

    assert job["outcome"] == "undone", job
    assert await world.picture() == before


async def test_an_authority_that_caddy_cannot_reach_leaves_all_as_before(
    world: ProvisioningWorld,
) -> None:
    name = f"unreached.{ZONE}"
    before = await world.picture()
    await world.pebble.stop()
    try:
        job = await world.ended(await world.provision(name, certificate="caddy"))
    finally:
        await world.pebble.start()
        await world.pebble.write_root(world.root)

    assert job["outcome"] == "undone", job
    assert "no certificate" in job["error"]["message"]
    assert await world.picture() == before


async def test_a_wrong_key_of_the_name_server_is_said_and_nothing_is_changed(
    world: ProvisioningWorld,
) -> None:
    before = await world.picture()
    settings = {
        "type": "rfc2136",
        "server": world.knot.primary.server,
        "key_name": world.knot.key_name,
        "key_secret": "d3JvbmcgYXMgY2FuIGJlIQ==",
        "zones": [ZONE],
    }
    body = {"key": "wrong", "name": "Wrong", "settings": settings}
    status, answer = await world.ask("POST", "/dns/providers", body)
    assert status >= 400, answer
    assert "key" in f"{answer['detail']} {answer.get('hint')}".lower()

    await world.asked("POST", "/dns/providers", body | {"verify": False})
    start = {"name": f"key.{ZONE}", "container": world.container, "ipv4": "127.0.0.1"}
    status, answer = await world.ask(
        "POST", "/provisioning", start | {"provider": "wrong", "wait_s": 60}
    )
    await wait_until(lambda: world.has_ended(f"key.{ZONE}"), what="its end")
    await world.asked("DELETE", "/dns/providers/wrong")

    assert status >= 400, answer
    assert "key" in f"{answer['detail']} {answer.get('hint')}".lower()
    assert await world.picture() == before
