import pytest
from sqlalchemy import select

from homelab_agent.platform.audit import LONGEST_MESSAGE, ActivityEntry, Audit
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity
from tests.clock import HandClock


async def _entries(store: Store) -> list[ActivityEntry]:
    async with store.read() as connection:
        rows = await connection.execute(select(activity).order_by(activity.c.id))
        return [ActivityEntry.model_validate(row._asdict()) for row in rows]


async def test_an_entry_tells_who_what_when_and_how_it_ended(
    audit: Audit, store: Store, clock: HandClock
) -> None:
    await audit.record(
        caller="phone",
        action="containers.stop",
        target="web",
        outcome=Outcome.REFUSED,
        code="protected",
        message="web is protected",
        job_id="7",
    )
    clock.advance(minutes=1)
    await audit.record(caller="agent", action="agent.start")

    first, second = await _entries(store)
    assert first.model_dump(exclude={"id", "at"}) == {
        "caller": "phone",
        "action": "containers.stop",
        "target": "web",
        "outcome": Outcome.REFUSED,
        "code": "protected",
        "message": "web is protected",
        "job_id": "7",
    }
    assert second.at == clock()
    assert second.id > first.id
    assert (second.outcome, second.message) == (None, None)


async def test_an_entry_falls_with_the_change_it_tells_of(audit: Audit, store: Store) -> None:
    with pytest.raises(LookupError):
        await _record_and_fail(audit, store)

    assert await _entries(store) == []


async def _record_and_fail(audit: Audit, store: Store) -> None:
    async with store.write() as connection:
        await audit.record(caller="phone", action="x", within=connection)
        raise LookupError


async def test_no_secret_and_no_endless_text_is_kept(store: Store, clock: HandClock) -> None:
    secrets = SecretFilter()
    secrets.add("swordfish")
    audit = Audit(store, clock, secrets)

    await audit.record(caller="phone", action="x", message="swordfish " + "a" * 5000)

    (entry,) = await _entries(store)
    assert entry.message
    assert entry.message.startswith("*** aaa")
    assert len(entry.message) == LONGEST_MESSAGE
