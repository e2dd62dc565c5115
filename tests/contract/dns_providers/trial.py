"""One case with one provider: its server, the agent's side, and how it ended."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_agent.areas.dns.models import Capabilities, RecordType
from homelab_agent.platform.errors import Invalid
from tests.contract.dns_providers.agent_side import AgentSide, agent_side, open_store, records
from tests.contract.dns_providers.cases import FAILED, NOT_OFFERED, OK, Case, Table
from tests.contract.dns_providers.place import Place, Subject
from tests.fakes.dns_providers.reach import open_reach

type Trying = Callable[[Case], AbstractAsyncContextManager[Trial]]


@dataclass
class Trial:
    """A provider that was set up. `missing`: why it does not have this case."""

    subject: Subject
    place: Place
    agent: AgentSide
    missing: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What it says that it can."""
        return self.agent.provider.capabilities

    def lacks(self, reason: str | None) -> bool:
        """Note why the case is not offered; return whether it is not."""
        self.missing = self.missing or reason
        return self.missing is not None

    @property
    def kind(self) -> RecordType:
        """A type that can be made from nothing at any name that is offered."""
        types = self.capabilities.types
        addresses = self.capabilities.creates_addresses and RecordType.A in types
        return RecordType.A if addresses else RecordType.TXT

    @property
    def why_few_names(self) -> str | None:
        """Why not every name can be had."""
        return "its names are those of the account" if self.subject.fixed_name else None

    async def now(self, name: str, kind: RecordType) -> tuple[str, ...]:
        """Return what the server really holds there."""
        found = {(each.name, each.type): each.values for each in await self.place.held()}
        return found.get((name, kind), ())

    async def require_refused(self, name: str, kind: RecordType, *values: str) -> None:
        """See that it is refused, with an explanation, and that nothing was sent."""
        before, asked = await self.place.held(), self.place.changes_asked()
        with pytest.raises(Invalid) as refused:  # mostly `NotOffered`
            await self.agent.plan(records(name, kind, *values))
        assert refused.value.hint, refused.value
        assert refused.value.field
        assert self.place.changes_asked() == asked
        assert await self.place.held() == before


def trying(subject: Subject, table: Table, folder: Path) -> Trying:
    """Return what opens a trial, and notes how it ended."""
    heading = f"{subject.name}|{f'real {subject.server}' if subject.real else 'small server'}"

    @asynccontextmanager
    async def try_case(case: Case) -> AsyncIterator[Trial]:
        async with AsyncExitStack() as stack:
            place = await stack.enter_async_context(subject.running())
            reach = await stack.enter_async_context(open_reach())
            store = await open_store(folder)
            stack.push_async_callback(store.close)
            agent = await stack.enter_async_context(
                agent_side(subject, place.settings, reach, store)
            )
            await agent.added(place)
            trial = Trial(subject, place, agent, subject.not_offered.get(case))
            table.note(heading, case, FAILED)
            yield trial
            table.note(heading, case, NOT_OFFERED if trial.missing else OK, trial.missing)

    return try_case
