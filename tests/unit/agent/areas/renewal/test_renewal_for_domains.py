"""Certificates within the steps of others: obtained, and taken back without a trace."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.renewal.authority import AuthorityAway, Proof, Status
from homelab_agent.areas.renewal.challenges import Challenges
from homelab_agent.areas.renewal.kept import PendingOrder, TxtValue
from homelab_agent.areas.renewal.models import HandOver, IssueBody, ManagedState
from homelab_agent.platform.commands import SYSTEM, Outcome
from homelab_agent.platform.errors import AgentError, Conflict, Invalid, NotFound, Unavailable
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.vault import Vault
from tests.unit.agent.areas.renewal.desk import ZONE, Desk

KEY = f"photos.{ZONE}"
FOR_CADDY = IssueBody(names=(KEY,), key=KEY, hand_over=HandOver(caddy=True))


def files(desk: Desk) -> dict[str, bytes]:
    """Return every file, by its path."""
    return {str(each): each.read_bytes() for each in desk.folders.root.rglob("*") if each.is_file()}


async def test_a_new_one_is_discarded_without_a_trace(desk: Desk) -> None:
    found = await desk.service.obtain(FOR_CADDY)
    assert found.state is ManagedState.VALID
    assert desk.proxy.held[KEY]
    for _ in range(2):
        await desk.service.discard(KEY)
        assert not (await desk.service.list()).certificates
        assert not await asyncio.to_thread(files, desk)
        assert not desk.proxy.held


async def test_obtained_twice_it_is_ordered_once(desk: Desk) -> None:
    first = await desk.service.obtain(FOR_CADDY)
    again = await desk.service.obtain(FOR_CADDY)
    assert again.serial == first.serial
    assert desk.authority.orders == 1


async def test_a_wildcard_that_is_there_already_is_taken_and_stays(desk: Desk) -> None:
    await desk.service.issue(IssueBody(names=(f"*.{ZONE}",), key="all", wait_s=30), SYSTEM)
    kept = await asyncio.to_thread(files, desk)
    found = await desk.service.obtain(IssueBody(names=(KEY,), hand_over=HandOver(caddy=True)))
    assert found.key == "all"
    assert found.hand_over.caddy
    assert desk.proxy.held["all"]
    await desk.service.discard("all")
    found = await desk.service.get("all")
    assert (found.state, found.hand_over.caddy) == (ManagedState.VALID, False)
    assert not desk.proxy.held
    assert await asyncio.to_thread(files, desk) == kept


async def test_one_that_cannot_be_had_says_why_and_is_discarded(desk: Desk) -> None:
    desk.authority.trouble = AuthorityAway("https://authority.example/dir cannot be reached")
    with pytest.raises(AgentError, match="cannot be reached"):
        await desk.service.obtain(FOR_CADDY)
    failure = (await desk.service.get(KEY)).failure
    assert failure is not None
    assert failure.next_try_at is None  # whoever wanted it decides about that
    await desk.service.discard(KEY)
    assert not (await desk.service.list()).certificates


async def test_a_name_is_proven_where_several_providers_have_its_zone(desk: Desk) -> None:
    """One inside and one for the internet: nobody knows here which one the authority asks."""
    desk.dns.providers = ["knot", "cloudflare"]
    await desk.service.obtain(FOR_CADDY)
    challenges, place = Challenges(desk.book, desk.dns), f"_acme-challenge.{KEY}"
    proof = Proof(url="1", name=KEY, status=Status.PENDING, txt_name=place, txt_value="proof")
    await challenges.put(KEY, [proof])
    assert desk.dns.texts == {("knot", place, "proof"), ("cloudflare", place, "proof")}
    await challenges.wait(KEY, within_s=1)
    assert desk.dns.served == [RecordSet(name=place, type=RecordType.TXT, values=("proof",))]
    assert await challenges.clear(KEY)
    assert not desk.dns.texts
    assert not desk.book.get(KEY).txt


async def test_a_zone_that_is_gone_holds_no_certificate_back(desk: Desk) -> None:
    proven = TxtValue(name=f"_acme-challenge.{KEY}", value="as asked for")
    for discard in (desk.service.discard, _delete(desk)):
        await desk.service.obtain(FOR_CADDY)
        await desk.book.change(KEY, lambda now: now.model_copy(update={"txt": (proven,)}))
        desk.dns.trouble = Unavailable("the provider is away")
        with pytest.raises(AgentError, match="still stands"):
            await discard(KEY)
        assert desk.book.get(KEY).txt, "it is tried again"
        desk.dns.trouble = NotFound("Nobody manages a zone that this is in.")
        await discard(KEY)
        assert desk.service.find(KEY) is None
        desk.dns.trouble = None


def _delete(desk: Desk) -> Callable[[str], Awaitable[object]]:
    async def delete(key: str) -> None:
        await desk.service.delete(key, SYSTEM, 30)

    return delete


async def test_an_order_whose_key_was_lost_with_the_key_file_is_begun_anew(desk: Desk) -> None:
    await desk.service.obtain(FOR_CADDY)
    lost = Vault(b"another file".ljust(32), SecretFilter()).seal("a key", f"certificate {KEY}")
    directory = desk.book.get(KEY).directory or ""
    pending = PendingOrder(directory=directory, sealed_key=lost, order_url="demo:order/1")
    await desk.book.change(KEY, lambda now: now.model_copy(update={"pending": pending}))
    result = await desk.service.renew(KEY, SYSTEM, 30)
    assert result.outcome is Outcome.DONE, result.message
    assert (await desk.service.get(KEY)).state is ManagedState.VALID


async def test_one_of_a_person_is_not_discarded(desk: Desk) -> None:
    await desk.service.issue(FOR_CADDY, SYSTEM)
    await desk.service.obtain(FOR_CADDY)
    await desk.service.discard(KEY)
    assert (await desk.service.get(KEY)).state is ManagedState.VALID
    assert desk.proxy.held[KEY]


async def test_it_is_found_by_the_names_that_it_is_good_for(desk: Desk) -> None:
    await desk.service.issue(IssueBody(names=(f"*.{ZONE}",), key="all", wait_s=30), SYSTEM)
    found = desk.service.find_for(KEY)
    assert found is not None
    assert found.key == "all"
    assert desk.service.find_for(ZONE) is None
    assert desk.service.find_for(f"a.b.{ZONE}") is None


async def test_what_was_obtained_for_a_name_is_known_beside_longer_ones_of_a_person(
    desk: Desk,
) -> None:
    wild = IssueBody(names=(f"*.{ZONE}",), key="all", hand_over=HandOver(), wait_s=30)
    await desk.service.obtain(FOR_CADDY)
    await desk.service.issue(wild, SYSTEM)
    found = desk.service.obtained_for(KEY)
    assert found is not None
    assert found.key == KEY
    await desk.service.discard(KEY)
    assert desk.service.find(KEY) is None
    assert desk.service.obtained_for(KEY) is None
    # A wildcard that was handed over for a name is what that name obtained.
    await desk.service.obtain(FOR_CADDY.model_copy(update={"key": "all"}))
    found = desk.service.obtained_for(KEY)
    assert found is not None
    assert found.key == "all"


async def test_a_key_that_is_taken_for_other_names_is_refused(desk: Desk) -> None:
    await desk.service.issue(FOR_CADDY, SYSTEM)
    with pytest.raises(Conflict) as caught:
        await desk.service.obtain(IssueBody(names=(f"other.{ZONE}",), key=KEY))
    assert caught.value.field == "key"


@pytest.mark.parametrize(
    ("names", "field"),
    [
        (("a..b",), "names.0"),
        ((KEY, "with_underscore.example"), "names.1"),
        (("*",), "names.0"),
        # The DNS could have it, but not with _acme-challenge before it.
        ((f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 34}.{ZONE}",), "names.0"),
    ],
)
async def test_wrong_names_are_named(desk: Desk, names: tuple[str, ...], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await desk.service.issue(IssueBody(names=names), SYSTEM)
    assert caught.value.field == field
    assert desk.authority.orders == 0


async def test_two_certificates_never_share_a_folder(desk: Desk) -> None:
    one = IssueBody(names=(KEY,), hand_over=HandOver(folder="shared"), wait_s=30)
    await desk.service.issue(one, SYSTEM)
    for body in (
        IssueBody(names=(f"b.{ZONE}",), hand_over=HandOver(folder="shared")),
        IssueBody(names=(f"b.{ZONE}",), key="shared"),
        IssueBody(names=(f"b.{ZONE}",), hand_over=HandOver(folder=KEY)),
    ):
        with pytest.raises(Conflict):
            await desk.service.issue(body, SYSTEM)


async def test_one_that_was_renewed_since_is_given_back_as_it_is_now(desk: Desk) -> None:
    await desk.service.issue(IssueBody(names=(KEY,), wait_s=30), SYSTEM)
    await desk.service.obtain(FOR_CADDY)
    for _ in range(3):
        await desk.service.renew(KEY, SYSTEM, 30)
    serial = (await desk.service.get(KEY)).serial
    await desk.service.discard(KEY)
    found = await desk.service.get(KEY)
    assert (found.serial, found.hand_over.caddy) == (serial, False)
    assert await desk.folders.read(KEY, "privkey.pem")
