"""What can be done with domains, by people and by other areas."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from homelab_agent.areas.dns.models import DnsPlan, RecordSet
from homelab_agent.areas.domains.board import Board
from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.history import Line, as_written, settings_as_written
from homelab_agent.areas.domains.models import (
    Domain,
    DomainBody,
    DomainChange,
    DomainEventType,
    DomainHealth,
    DomainReplaceBody,
    DomainSettings,
    FoundRecords,
    KeptDomain,
)
from homelab_agent.areas.domains.names import domain_id
from homelab_agent.areas.domains.watched import Watched
from homelab_agent.areas.domains.wishes import Wishes
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.errors import Conflict, NotFound
from homelab_agent.platform.jobs.models import CommandResult


class DomainService:
    """Domains by id: the name as the DNS writes it."""

    def __init__(self, book: Book, wishes: Wishes, board: Board, clock: Clock) -> None:
        self._book = book
        self._wishes = wishes
        self._board = board
        self._clock = clock

    async def until_ready(self) -> None:
        """Return when it is known which domains there are."""
        await self._book.until_ready()

    def find(self, id: str) -> Domain | None:  # noqa: A002 - as the wire calls it
        """Return a domain; None where the agent has none of this id."""
        watched = self._book.watched.get(id)
        return self._board.domain(watched) if watched else None

    async def get(self, name: str) -> Watched:
        """Return a domain by any spelling of its name.

        Raises:
            NotFound: there is none.
        """
        await self._book.until_ready()
        found = self._book.watched.get(domain_id(name, field="id"))
        if found is None:
            raise _not_found(name)
        return found

    async def shown(self, name: str) -> Domain:
        """Return a domain by any spelling of its name, as the wire has it; raises as `get`."""
        return self._board.domain(await self.get(name))

    async def check(self, name: str) -> DomainHealth:
        """Look at a domain now, because somebody wants to know.

        Raises:
            NotFound: there is no such domain.
            Conflict: it is paused.
        """
        watched = await self.get(name)
        if watched.is_paused:
            raise Conflict(
                f"{watched.id} is paused", hint="Have it looked after again: paused is false then"
            )
        return await self._book.look(watched)

    async def create(self, body: DomainBody, caller: Caller) -> Domain:
        """Look after a domain from now on.

        Raises:
            Invalid, NotFound: what is wanted makes no sense; `field` says what of it.
            Conflict: it is there already, or there are too many.
        """
        await self._book.until_ready()
        name = domain_id(body.name, field="name")
        settings = self._wishes.of(name, body)
        async with self._book.changing():
            if name in self._book.watched:
                raise Conflict(
                    f"The domain {name} is there already",
                    field="name",
                    hint="Change that one, or delete it first",
                )
            await self._keep(self._made(name, settings, None), None, caller.name)
        return self._now(name)

    async def replace(self, name: str, body: DomainReplaceBody, caller: Caller) -> Domain:
        """Want something else of a domain.

        Raises:
            Invalid, NotFound: what is wanted makes no sense, or there is no such domain.
            Conflict: somebody else changed it since `unchanged_since`.
        """
        watched = await self.get(name)
        settings = self._wishes.of(watched.id, body, watched.kept.settings)
        return await self._change(watched, settings, body.unchanged_since, caller)

    async def change(self, name: str, body: DomainChange, caller: Caller) -> Domain:
        """Want something else in part; as `replace`."""
        watched = await self.get(name)
        # Both were read in one turn of the loop, so nobody came between.
        seen = body.unchanged_since or watched.kept.changed_at
        known = watched.kept.settings
        settings = self._wishes.of(watched.id, _with(known, body), known)
        return await self._change(watched, settings, seen, caller)

    async def forget(self, name: str, caller: Caller) -> CommandResult:
        """Look after a domain no longer. Its DNS records and its history stay.

        Raises:
            NotFound: there is no such domain.
            Conflict: it is provisioned, or a job is changing it.
        """
        watched = await self.get(name)
        async with self._book.changing():
            self._require_same(watched)
            require_deletable(watched)
            line = self._line(
                watched.id, DomainEventType.DELETED, caller.name, before=as_written(watched.kept)
            )
            await self._book.keep(gone=(watched.id,), lines=(line,))
        return CommandResult(
            outcome=Outcome.DONE,
            message=f"{watched.id} is not looked after any more; its DNS records stay.",
        )

    def kept(self, id: str) -> KeptDomain | None:  # noqa: A002
        """Return a domain as it is kept, for whoever wants to put it back later."""
        watched = self._book.watched.get(id)
        return watched.kept if watched else None

    async def put(
        self,
        body: DomainBody,
        caller: str,
        *,
        provisioned: bool,
        job_id: str | None,
        found: FoundRecords | None = None,
    ) -> KeptDomain | None:
        """Have a domain be exactly so; return what was kept before, None where nothing was.

        `found`: what was there before it was provisioned.

        Raises:
            Invalid, NotFound: what is wanted makes no sense.
            Conflict: there are too many domains.
        """
        await self._book.until_ready()
        name = domain_id(body.name, field="name")
        settings = self._wishes.of(name, body)
        async with self._book.changing():
            known = self._book.watched.get(name)
            before = known.kept if known else None
            after = self._made(name, settings, before).model_copy(
                update={"provisioned": provisioned, "found": found or FoundRecords()}
            )
            if before is None or _put(before) != _put(after):
                await self._keep(after, before, caller, job_id=job_id)
        return before

    async def put_back(self, id: str, before: KeptDomain | None, caller: str) -> None:  # noqa: A002
        """Have a domain be as `put` found it; as often as one likes."""
        async with self._book.changing():
            known = self._book.watched.get(id)
            if before is None and known is not None:
                line = self._line(
                    id, DomainEventType.DELETED, caller, before=as_written(known.kept)
                )
                await self._book.keep(gone=(id,), lines=(line,))
            elif before is not None and (known is None or _wants(known.kept) != _wants(before)):
                await self._keep(before, known.kept if known else None, caller)

    async def changing(self, id: str, job_id: str | None) -> None:  # noqa: A002
        """Show that a job is changing a domain, until None says that it no longer is."""
        await self._book.until_ready()
        self._book.set_job(id, job_id)

    async def note(  # noqa: PLR0913 - each is a column
        self,
        id: str,  # noqa: A002
        type: DomainEventType,  # noqa: A002
        *,
        caller: str,
        step: str | None = None,
        outcome: Outcome | None = None,
        message: str | None = None,
        before: JsonValue = None,
        after: JsonValue = None,
        job_id: str | None = None,
    ) -> None:
        """Write a line of a domain's history. Nothing secret may be in it."""
        await self._book.until_ready()
        line = self._line(id, type, caller, message=message, before=before, after=after)
        await self._book.write(
            line.model_copy(update={"step": step, "outcome": outcome, "job_id": job_id})
        )

    async def note_applied(
        self, plan: DnsPlan, caller: str, job_id: str, *, only: str | None = None
    ) -> None:
        """Write into the histories of domains what a plan changed of them; `only` one of them."""
        # A job that goes on after a start may be here before it is known which domains there are.
        await self._book.until_ready()
        for name in sorted({change.name for change in plan.changes}):
            if name not in self._book.watched or only not in {None, name}:
                continue
            changes = [change for change in plan.changes if change.name == name]
            await self.note(
                name,
                DomainEventType.DNS_APPLIED,
                caller=caller,
                outcome=Outcome.DONE,
                message="; ".join(f"{each.action} {each.type}" for each in changes),
                before=_records([change.before for change in changes]),
                after=_records([change.after for change in changes]),
                job_id=job_id,
            )
            self._book.schedule.now(name)

    async def look(self, id: str) -> DomainHealth:  # noqa: A002
        """Look at a domain now; return what is found, also where nobody else did confirm it yet.

        Raises:
            NotFound: there is no such domain.
        """
        return await self._book.look(await self.get(id))

    async def _change(
        self,
        watched: Watched,
        settings: DomainSettings,
        unchanged_since: datetime | None,
        caller: Caller,
    ) -> Domain:
        async with self._book.changing():
            self._require_same(watched)
            before = watched.kept
            if unchanged_since is not None and before.changed_at != unchanged_since:
                raise Conflict(
                    f"Somebody else changed {watched.id} meanwhile, at "
                    f"{before.changed_at:%Y-%m-%d %H:%M:%S} UTC",
                    field="unchanged_since",
                    hint="Read it again, and decide anew",
                )
            if settings != before.settings:
                after = self._made(watched.id, settings, before)
                await self._keep(after, before, caller.name)
        return self._now(watched.id)

    async def _keep(
        self,
        after: KeptDomain,
        before: KeptDomain | None,
        caller: str,
        *,
        job_id: str | None = None,
    ) -> None:
        line = self._line(
            after.id,
            DomainEventType.UPDATED if before else DomainEventType.CREATED,
            caller,
            before=as_written(before),
            after=settings_as_written(after.settings),
        )
        await self._book.keep((after,), lines=(line.model_copy(update={"job_id": job_id}),))
        self._book.schedule.now(after.id)

    def _made(self, name: str, settings: DomainSettings, before: KeptDomain | None) -> KeptDomain:
        now = self._clock()
        if before is None:
            return KeptDomain(id=name, settings=settings, created_at=now, changed_at=now)
        return before.model_copy(update={"settings": settings, "changed_at": now})

    def _line(
        self,
        name: str,
        type: DomainEventType,  # noqa: A002
        caller: str,
        *,
        message: str | None = None,
        before: JsonValue = None,
        after: JsonValue = None,
    ) -> Line:
        return Line(
            domain=name,
            at=self._clock(),
            caller=caller,
            type=type,
            outcome=Outcome.DONE,
            message=message,
            before=before,
            after=after,
        )

    def _now(self, name: str) -> Domain:
        return self._board.domain(self._book.watched[name])

    def _require_same(self, watched: Watched) -> None:
        if self._book.watched.get(watched.id) is not watched:
            raise _not_found(watched.id)


def require_deletable(watched: Watched) -> None:
    """Refuse to delete what is still served.

    Raises:
        Conflict: it is provisioned, or a job is changing it.
    """
    if watched.job_id is not None:
        raise Conflict(
            f"A job is changing {watched.id}",
            field="id",
            hint="Wait until that job has ended",
            extra={"job_id": watched.job_id},
        )
    if watched.kept.provisioned:
        raise Conflict(
            f"{watched.id} is provisioned: its route and its certificate are there",
            field="id",
            hint="Deprovision it first; that takes all of it back",
        )


def _records(sets: Sequence[RecordSet | None]) -> JsonValue:
    return [each.model_dump(mode="json", exclude={"name"}) for each in sets if each is not None]


def _put(kept: KeptDomain) -> Sequence[object]:
    return kept.settings, kept.provisioned, kept.found


def _wants(kept: KeptDomain) -> Sequence[object]:
    return *_put(kept), kept.changed_at


def _with(settings: DomainSettings, change: DomainChange) -> DomainSettings:
    """Return the settings with what was given; null empties what may be empty."""
    given = {name: getattr(change, name) for name in change.model_fields_set}
    given.pop("unchanged_since", None)
    for name in ("service_type", "records", "paused"):
        if name in given and given[name] is None:
            del given[name]
    return settings.model_copy(update=given)


def _not_found(name: str) -> NotFound:
    return NotFound(
        f"There is no domain {name[:300]!r}",
        field="id",
        hint="GET /api/v1/domains lists them all.",
    )
