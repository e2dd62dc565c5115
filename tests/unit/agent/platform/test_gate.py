import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select, text

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import (
    Caller,
    Operation,
    Outcome,
    Registry,
    Scope,
    command,
    query,
)
from homelab_agent.platform.errors import (
    AgentError,
    Busy,
    Conflict,
    Denied,
    NotFound,
    Protected,
    Unauthenticated,
    Unavailable,
)
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.jobs.models import CommandResult, Job, JobState
from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity
from tests.clock import HandClock

READER = Caller(name="dashboard", scope=Scope.READ)
PHONE = Caller(name="phone", scope=Scope.OPERATE)
OWNER = Caller(name="owner", scope=Scope.ADMIN)

type Entry = tuple[str, str, str | None, str | None, str | None, str | None]
type Audited = Callable[[], Awaitable[list[Entry]]]


class Answer(Model):
    """What any operation here answers."""

    text: str = "done"


class Doors:
    """Operations of every sort."""

    @query("doors.list", "/doors")
    async def list_doors(self) -> Answer:
        """List the doors."""
        return Answer()

    @query("doors.health", "/health", scope=None)
    async def health(self) -> Answer:
        """Say that all is well."""
        return Answer()

    @command("doors.open", "POST", "/doors/{name}/open", scope=Scope.OPERATE, target="door")
    async def open_door(self, name: str) -> Answer:
        """Open a door."""
        return Answer(text=name)

    @command(
        "doors.lock",
        "POST",
        "/doors/{name}/lock",
        scope=Scope.OPERATE,
        target="door",
        dangerous=False,
    )
    async def lock_door(self, name: str) -> Answer:
        """Lock a door."""
        return Answer(text=name)

    @command("doors.sell", "POST", "/doors/sell", scope=Scope.ADMIN)
    async def sell(self) -> Answer:
        """Sell all doors."""
        return Answer()


@pytest.fixture
def operations() -> dict[str, Operation]:
    registry = Registry()
    registry.collect(Doors())
    return {operation.name: operation for operation in registry.operations()}


@pytest.fixture
def gate(audit: Audit) -> Gate:
    gate = Gate(audit)
    gate.protect("door", _vault_is_protected)
    return gate


@pytest.fixture
def audited(store: Store) -> Audited:
    async def read() -> list[Entry]:
        columns = activity.c
        query = select(
            columns.caller,
            columns.action,
            columns.target,
            columns.outcome,
            columns.code,
            columns.message,
        )
        async with store.read() as connection:
            rows = await connection.execute(query.order_by(columns.id))
            return [tuple(row) for row in rows]

    return read


async def _vault_is_protected(name: str) -> str | None:
    if name == "gone":
        raise NotFound("There is no door gone")
    return "The vault is protected; take the sign away first" if name == "vault" else None


async def _work() -> Answer:
    return Answer()


async def _never() -> Answer:
    raise AssertionError("what was refused was done")


def _fails_with(error: Exception) -> Callable[[], Awaitable[Model]]:
    async def fail() -> Model:
        raise error

    return fail


async def test_a_command_that_is_allowed_is_done_and_leaves_one_entry(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    assert await gate.run(operations["doors.open"], PHONE, "front", _work) == Answer()

    assert await audited() == [("phone", "doors.open", "front", "done", None, None)]


async def test_reading_leaves_no_entry(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    await gate.run(operations["doors.list"], READER, None, _work)
    await gate.run(operations["doors.health"], None, None, _work)
    with pytest.raises(NotFound):
        await gate.run(operations["doors.list"], READER, None, _fails_with(NotFound("no door")))

    assert await audited() == []


@pytest.mark.parametrize(
    ("name", "caller", "error", "code"),
    [
        ("doors.open", READER, Denied, "denied"),
        ("doors.sell", PHONE, Denied, "denied"),
        ("doors.open", None, Unauthenticated, "unauthenticated"),
        ("doors.list", None, Unauthenticated, "unauthenticated"),
    ],
)
async def test_what_a_token_may_not_do_is_refused_and_the_refusal_is_kept(
    gate: Gate,
    operations: dict[str, Operation],
    audited: Audited,
    name: str,
    caller: Caller | None,
    error: type[AgentError],
    code: str,
) -> None:
    with pytest.raises(error) as caught:
        await gate.run(operations[name], caller, "front", _never)

    assert caught.value.hint
    who = caller.name if caller else "nobody"
    assert await audited() == [(who, name, "front", "refused", code, caught.value.message)]


async def test_a_token_that_hammers_what_it_may_not_do_leaves_one_entry_that_counts(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    for number in range(20):
        with pytest.raises(Denied):
            await gate.run(operations["doors.open"], READER, f"door {number}", _never)

    ((*_, message),) = await audited()
    assert "; 20 times until " in str(message)


@pytest.mark.parametrize("caller", [PHONE, OWNER])
async def test_a_protected_target_is_refused_even_to_the_owner_with_reason_and_remedy(
    gate: Gate, operations: dict[str, Operation], audited: Audited, caller: Caller
) -> None:
    with pytest.raises(Protected, match="take the sign away first") as caught:
        await gate.run(operations["doors.open"], caller, "vault", _never)

    assert caught.value.field == "name"
    ((*_, outcome, code, _message),) = await audited()
    assert (outcome, code) == ("refused", "protected")


async def test_a_target_protected_while_the_request_was_still_being_sent_is_not_touched(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    protected = False

    async def look(_: str) -> str | None:
        return "It is protected now" if protected else None

    async def hear() -> None:
        nonlocal protected
        protected = True

    gate.protect("door", look)
    with pytest.raises(Protected):
        await gate.run(operations["doors.open"], OWNER, "front", _never, hear=hear)
    assert [entry[3:5] for entry in await audited()] == [("refused", "protected")]


async def test_what_is_not_dangerous_is_done_to_a_protected_target(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    await gate.run(operations["doors.lock"], PHONE, "vault", _work)

    assert await audited() == [("phone", "doors.lock", "vault", "done", None, None)]


async def test_every_protection_of_a_kind_counts(
    gate: Gate, operations: dict[str, Operation]
) -> None:
    async def night(_name: str) -> str | None:
        return "It is night"

    gate.protect("door", night)

    with pytest.raises(Protected, match="It is night"):
        await gate.run(operations["doors.open"], PHONE, "front", _never)


async def test_an_unknown_target_is_refused_by_its_protection_check_and_kept(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    with pytest.raises(NotFound):
        await gate.run(operations["doors.open"], PHONE, "gone", _never)

    assert await audited() == [
        ("phone", "doors.open", "gone", "refused", "not_found", "There is no door gone")
    ]


async def test_a_forgotten_protection_lets_nothing_dangerous_through(
    audit: Audit, operations: dict[str, Operation], audited: Audited
) -> None:
    with pytest.raises(ValueError, match="nothing protects targets of the kind door"):
        await Gate(audit).run(operations["doors.open"], OWNER, "front", _never)

    assert [entry[3] for entry in await audited()] == ["failed"]


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (Conflict("it is open"), "refused", "conflict"),
        (Busy("it is busy", extra={"job_id": "7"}), "refused", "busy"),
        (Unavailable("Docker is away"), "failed", "unavailable"),
        (KeyError("a mistake"), "failed", "internal"),
    ],
)
async def test_what_goes_wrong_is_kept_as_refused_or_failed_without_inner_details(
    gate: Gate,
    operations: dict[str, Operation],
    audited: Audited,
    error: Exception,
    outcome: str,
    code: str,
) -> None:
    with pytest.raises(type(error)):
        await gate.run(operations["doors.open"], PHONE, "front", _fails_with(error))

    ((*_, found_outcome, found_code, message),) = await audited()
    assert (found_outcome, found_code) == (outcome, code)
    assert "a mistake" not in str(message)


def _result(outcome: Outcome | None, clock: HandClock, *, job: bool) -> CommandResult:
    made = Job(
        id="7",
        kind="doors.open",
        target="front",
        caller="phone",
        state=JobState.RUNNING,
        steps=(),
        created_at=clock(),
    )
    return CommandResult(outcome=outcome, message="It was open", job=made if job else None)


@pytest.mark.parametrize("outcome", [None, Outcome.DONE])
async def test_a_command_that_began_a_job_is_left_to_that_job(
    gate: Gate,
    operations: dict[str, Operation],
    audited: Audited,
    clock: HandClock,
    outcome: Outcome | None,
) -> None:
    async def begin() -> CommandResult:
        return _result(outcome, clock, job=True)

    await gate.run(operations["doors.open"], PHONE, "front", begin)
    failed = Unavailable("Docker is away", extra={"job_id": "7"})
    with pytest.raises(Unavailable):
        await gate.run(operations["doors.open"], PHONE, "front", _fails_with(failed))

    assert await audited() == []


async def test_a_command_that_needed_no_job_says_its_outcome_itself(
    gate: Gate, operations: dict[str, Operation], audited: Audited, clock: HandClock
) -> None:
    async def look() -> CommandResult:
        return _result(Outcome.NOT_NEEDED, clock, job=False)

    await gate.run(operations["doors.open"], PHONE, "front", look)

    assert await audited() == [("phone", "doors.open", "front", "not_needed", None, "It was open")]


async def test_a_command_given_up_in_its_middle_is_kept_as_failed(
    gate: Gate, operations: dict[str, Operation], audited: Audited
) -> None:
    begun = asyncio.Event()

    async def hang() -> Answer:
        begun.set()
        await asyncio.Event().wait()
        return Answer()

    asking = asyncio.create_task(gate.run(operations["doors.open"], PHONE, "front", hang))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    ((*_, outcome, _code, message),) = await audited()
    assert (outcome, message) == ("failed", "The request was given up before its end")


async def test_a_refusal_stays_a_refusal_when_it_cannot_be_written_down(
    gate: Gate, operations: dict[str, Operation], store: Store
) -> None:
    async with store.write() as connection:
        await connection.execute(text("ALTER TABLE activity RENAME TO away"))

    with pytest.raises(Denied):
        await gate.run(operations["doors.open"], READER, "front", _never)
    assert await gate.run(operations["doors.open"], PHONE, "front", _work) == Answer()
