"""Names and zones that are not as usual, and several at once: all is up, then all as before."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lab.provisioning_world import ZONE, ProvisioningWorld, provisioning_world

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

LONG = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 31, ZONE])
"""Before it there is just room for _acme-challenge."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProvisioningWorld]:
    async with provisioning_world(tmp_path_factory.mktemp("world")) as made:
        yield made


async def up_and_down(world: ProvisioningWorld, *names: str, **changes: object) -> None:
    """Provision all at once, then take all back at once; each has to be there in between."""
    before = await world.picture()
    for begin in (world.provision, world.deprovision):
        asked = changes if begin == world.provision else {}
        jobs = [await begin(name, **asked) for name in names]
        ended = [await world.ended(job) for job in jobs]
        assert {job["outcome"] for job in ended} == {"done"}, ended
        if begin == world.provision:
            shown = [name.encode("idna").decode() for name in names]
            assert [name for name in shown if not await world.serves(name)] == []
    assert await world.picture() == before


@pytest.mark.parametrize("way", ["dns_01", "caddy"])
@pytest.mark.parametrize(
    "name", [ZONE, f"фото.{ZONE}", LONG], ids=["the zone itself", "international", "long"]
)
async def test_a_name_of_any_kind_is_served_and_taken_back(
    world: ProvisioningWorld, name: str, way: str
) -> None:
    await up_and_down(world, name, certificate=way)


async def test_a_name_that_is_too_long_to_be_proven_is_refused_before_anything_begins(
    world: ProvisioningWorld,
) -> None:
    body = {
        "name": f"x.{LONG}",
        "container": world.container,
        "ipv4": "127.0.0.1",
        "certificate": "dns_01",
    }
    status, answer = await world.ask("POST", "/provisioning/plan", body)
    assert (status, answer["field"]) == (422, "certificate"), answer
    assert "237" in answer["detail"]


@pytest.mark.parametrize("record", ["A 192.0.2.7", f"CNAME www.{ZONE}."])
async def test_a_wildcard_above_a_name_is_in_nobodys_way(
    world: ProvisioningWorld, record: str
) -> None:
    await world.knot.edit(ZONE, put=(f"*.{ZONE}. 60 {record}",))
    try:
        await up_and_down(world, f"below.{ZONE}", certificate="dns_01")
    finally:
        await world.knot.edit(ZONE, drop=(f"*.{ZONE}.",))


async def test_several_names_of_a_zone_are_provisioned_at_once(world: ProvisioningWorld) -> None:
    names = [f"at-once-{number}.{ZONE}" for number in range(3)]
    await up_and_down(world, *names, certificate="dns_01")


async def test_records_that_were_there_before_are_there_as_before_afterwards(
    world: ProvisioningWorld,
) -> None:
    same, elsewhere = f"same.{ZONE}", f"elsewhere.{ZONE}"
    put = (f"{same}. 77 A 127.0.0.1", f"{elsewhere}. 77 A 192.0.2.99")
    await world.knot.edit(ZONE, put=put)
    await up_and_down(world, same, elsewhere)
    assert await world.knot.primary.ask(elsewhere, "A") == ("192.0.2.99",)
    await world.knot.edit(ZONE, drop=(f"{same}.", f"{elsewhere}."))
