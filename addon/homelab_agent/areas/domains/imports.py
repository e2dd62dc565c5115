"""Importing domains: a plan first, then all of it or nothing. The DNS itself is not changed."""

import asyncio
import hashlib
import json
from collections.abc import Sequence

from homelab_agent.areas.domains.book import Book
from homelab_agent.areas.domains.export import Entry, cell, exported, read, wrong
from homelab_agent.areas.domains.history import Line, as_written, settings_as_written
from homelab_agent.areas.domains.models import (
    MOST_DOMAINS,
    DomainEventType,
    DomainExport,
    DomainSettings,
    ExportedDomain,
    ImportBody,
    ImportedChange,
    ImportPlan,
    KeptDomain,
)
from homelab_agent.areas.domains.names import domain_id
from homelab_agent.areas.domains.service import require_deletable
from homelab_agent.areas.domains.wishes import Wishes
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Caller, Outcome
from homelab_agent.platform.errors import AgentError, Conflict, Invalid, NotFound

_SETTINGS = tuple(DomainSettings.model_fields)


class DomainImports:
    """Writes all domains down, and takes them over again."""

    def __init__(self, book: Book, wishes: Wishes, clock: Clock) -> None:
        self._book = book
        self._wishes = wishes
        self._clock = clock

    async def export(self) -> DomainExport:
        """Return all domains, by name."""
        await self._book.until_ready()
        kept = (watched.kept for _, watched in sorted(self._book.watched.items()))
        return DomainExport(domains=tuple(map(exported, kept)))

    async def take(self, body: ImportBody, caller: Caller) -> ImportPlan:
        """Return what an import would do; with the hash of that plan it is done.

        Raises:
            Invalid: the text is wrong; the message names the row and the column.
            Conflict: the plan would be another one by now, or there would be too many domains, or
                one that is provisioned would be forgotten.
        """
        await self._book.until_ready()
        # A text of 900 KB takes a while: nobody else waits for it.
        entries = await asyncio.to_thread(read, body.text, body.format)
        wanted = await self._wanted(entries)
        async with self._book.changing():
            plan = self._plan(wanted, replace=body.replace)
            if body.plan_hash is None:
                return plan
            if body.plan_hash != plan.hash:
                raise Conflict(
                    "The import would do something else by now than what was planned",
                    field="plan_hash",
                    hint="Plan it again, and look at what it does",
                )
            await self._apply(plan, wanted, caller)
        return plan.model_copy(update={"applied": True})

    async def _wanted(self, entries: Sequence[Entry]) -> dict[str, DomainSettings]:
        wanted: dict[str, DomainSettings] = {}
        seen: dict[str, str] = {}
        for entry in entries:
            await asyncio.sleep(0)
            try:
                name, settings = self._read(entry)
            except (Invalid, NotFound) as error:
                raise _at(entry, error) from error
            if name in seen:
                again = Invalid(f"{name} is there already, at {seen[name]}", field="name")
                raise _at(entry, again)
            wanted[name], seen[name] = settings, entry.at
        return wanted

    def _read(self, entry: Entry) -> tuple[str, DomainSettings]:
        name = domain_id(entry.domain.name, field="name")
        given = {field: getattr(entry.domain, field) for field in _SETTINGS}
        watched = self._book.watched.get(name)
        known = watched.kept.settings if watched else None
        return name, self._wishes.of(name, DomainSettings(**given), known)

    def _plan(self, wanted: dict[str, DomainSettings], *, replace: bool) -> ImportPlan:
        known = {name: watched.kept for name, watched in self._book.watched.items()}
        changes = [_change(known.get(name), name, settings) for name, settings in wanted.items()]
        if replace:
            for name in known.keys() - wanted.keys():
                require_deletable(self._book.watched[name])
                changes.append(
                    ImportedChange(id=name, action="delete", before=exported(known[name]))
                )
        remaining = len(wanted) if replace else len(known.keys() | wanted.keys())
        if remaining > MOST_DOMAINS:
            raise Conflict(
                f"There would be {remaining} domains, and {MOST_DOMAINS} are the most",
                field="text",
                hint="Import fewer, or remove some that nobody needs",
            )
        ordered = tuple(sorted(changes, key=lambda each: each.id))
        return ImportPlan(hash=_hash(ordered), changes=ordered)

    async def _apply(
        self, plan: ImportPlan, wanted: dict[str, DomainSettings], caller: Caller
    ) -> None:
        now = self._clock()
        kept, gone, lines = [], [], []
        for change in plan.changes:
            watched = self._book.watched.get(change.id)
            before = watched.kept if watched else None
            if change.action == "keep":
                continue
            line = Line(
                domain=change.id,
                at=now,
                caller=caller.name,
                type=DomainEventType.IMPORTED,
                outcome=Outcome.DONE,
                before=as_written(before),
            )
            if change.action == "delete":
                gone.append(change.id)
                lines.append(line.model_copy(update={"type": DomainEventType.DELETED}))
                continue
            settings = wanted[change.id]
            made = before or KeptDomain(
                id=change.id, settings=settings, created_at=now, changed_at=now
            )
            kept.append(made.model_copy(update={"settings": settings, "changed_at": now}))
            lines.append(line.model_copy(update={"after": settings_as_written(settings)}))
        await self._book.keep(kept, gone=gone, lines=lines)


def _change(before: KeptDomain | None, name: str, settings: DomainSettings) -> ImportedChange:
    after = ExportedDomain(name=name, **dict(settings))
    if before is None:
        return ImportedChange(id=name, action="create", after=after)
    action = "keep" if before.settings == settings else "update"
    return ImportedChange(id=name, action=action, before=exported(before), after=after)


def _hash(changes: Sequence[ImportedChange]) -> str:
    written = json.dumps([each.model_dump(mode="json") for each in changes], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _at(entry: Entry, error: AgentError) -> Invalid:
    """Return the error with the place in the text where its field stands."""
    place = entry.place(error.field)
    path = "" if place != entry.at or not error.field else f".{error.field}"
    return wrong(f"{place}{path}: {error.message}", error.hint, cell(place))
