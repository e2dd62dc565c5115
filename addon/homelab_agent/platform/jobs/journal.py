"""The journal: what the store knows of every job, written before anything is done."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Row, Select, insert, select, update

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import NotFound
from homelab_agent.platform.jobs.models import Job, JobError, JobState, JobStep, StepState
from homelab_agent.platform.store.async_core import AsyncConnection
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import job, job_step

type JsonObject = dict[str, JsonValue]


@dataclass(slots=True)
class StepEntry:
    """One step as it is journaled."""

    name: str
    state: StepState = StepState.PENDING
    needed: bool = True
    data: JsonObject = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class JobEntry:
    """One job as it is journaled."""

    id: str
    kind: str
    target: str
    caller: str
    arguments: JsonObject
    created_at: datetime
    steps: list[StepEntry]
    state: JobState = JobState.RUNNING
    outcome: Outcome | None = None
    message: str | None = None
    error: JobError | None = None
    finished_at: datetime | None = None

    def to_job(self, progress: float | None = None) -> Job:
        """Return the job as everyone sees it."""
        return Job(
            id=self.id,
            kind=self.kind,
            target=self.target,
            caller=self.caller,
            state=self.state,
            outcome=self.outcome,
            steps=tuple(JobStep(name=step.name, state=step.state) for step in self.steps),
            progress=progress,
            message=self.message,
            error=self.error,
            created_at=self.created_at,
            finished_at=self.finished_at,
        )


class Journal:
    """Reads and writes jobs in the store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    async def add(self, entry: JobEntry) -> None:
        """Write a new job with all its steps."""
        async with self._store.write() as connection:
            await connection.execute(
                insert(job).values(
                    id=entry.id,
                    kind=entry.kind,
                    target=entry.target,
                    caller=entry.caller,
                    arguments=entry.arguments,
                    created_at=entry.created_at,
                    **_changing(entry),
                )
            )
            await connection.execute(
                insert(job_step),
                [
                    {"job_id": entry.id, "position": position, "name": step.name, **_step(step)}
                    for position, step in enumerate(entry.steps)
                ],
            )

    async def save(self, entry: JobEntry, *positions: int) -> None:
        """Write the job's state and that of the steps at `positions`."""
        async with self._store.write() as connection:
            await _save(connection, entry, positions)

    async def finish(self, entry: JobEntry, *positions: int) -> None:
        """The same for a job that ended: its audit entry stands or falls with it."""
        async with self._store.write() as connection:
            await _save(connection, entry, positions)
            await self._audit.record(
                caller=entry.caller,
                action=entry.kind,
                target=entry.target,
                outcome=entry.outcome,
                code=entry.error.code if entry.error else None,
                message=entry.error.message if entry.error else entry.message,
                job_id=entry.id,
                within=connection,
            )

    async def unfinished(self) -> tuple[JobEntry, ...]:
        """Return every job that has not ended, the oldest first."""
        query = select(job).where(job.c.state != JobState.FINISHED.value)
        async with self._store.read() as connection:
            return await _read(connection, query.order_by(job.c.created_at, job.c.id))

    async def get(self, job_id: str) -> Job:
        """Return one job, however old.

        Raises:
            NotFound: there is none, or it was removed for its age.
        """
        async with self._store.read() as connection:
            entries = await _read(connection, select(job).where(job.c.id == job_id))
        if not entries:
            raise NotFound(f"There is no job {job_id}")
        return entries[0].to_job()

    async def page(
        self,
        *,
        limit: int,
        before: str | None = None,
        target: str | None = None,
        state: JobState | None = None,
    ) -> tuple[Job, ...]:
        """Return jobs, the newest first; `before` is the id of the last one of the page before."""
        query = select(job).order_by(job.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(job.c.id < before)
        if target is not None:
            query = query.where(job.c.target == target)
        if state is not None:
            query = query.where(job.c.state == state.value)
        async with self._store.read() as connection:
            return tuple(entry.to_job() for entry in await _read(connection, query))


async def _save(connection: AsyncConnection, entry: JobEntry, positions: tuple[int, ...]) -> None:
    await connection.execute(update(job).where(job.c.id == entry.id).values(_changing(entry)))
    for position in positions:
        await connection.execute(
            update(job_step)
            .where(job_step.c.job_id == entry.id, job_step.c.position == position)
            .values(_step(entry.steps[position]))
        )


async def _read(connection: AsyncConnection, query: Select[Any]) -> tuple[JobEntry, ...]:
    rows = (await connection.execute(query)).all()
    steps = await connection.execute(
        select(job_step)
        .where(job_step.c.job_id.in_([row.id for row in rows]))
        .order_by(job_step.c.position)
    )
    by_job: dict[str, list[StepEntry]] = {row.id: [] for row in rows}
    for step in steps:
        by_job[step.job_id].append(
            StepEntry(step.name, StepState(step.state), step.needed, step.data)
        )
    return tuple(_entry(row, by_job[row.id]) for row in rows)


def _changing(entry: JobEntry) -> dict[str, object]:
    return {
        "state": entry.state.value,
        "outcome": entry.outcome.value if entry.outcome else None,
        "message": entry.message,
        "error": entry.error.model_dump() if entry.error else None,
        "finished_at": entry.finished_at,
    }


def _step(step: StepEntry) -> dict[str, object]:
    return {"state": step.state.value, "needed": step.needed, "data": step.data}


def _entry(row: Row[Any], steps: list[StepEntry]) -> JobEntry:
    return JobEntry(
        id=row.id,
        kind=row.kind,
        target=row.target,
        caller=row.caller,
        arguments=row.arguments,
        created_at=row.created_at,
        steps=steps,
        state=JobState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        message=row.message,
        error=JobError.model_validate(row.error) if row.error else None,
        finished_at=row.finished_at,
    )
