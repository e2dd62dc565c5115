"""The record of what was asked of the agent and how it ended."""

from datetime import datetime

from sqlalchemy import insert, update

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.model import Model
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.async_core import AsyncConnection
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import activity

LONGEST_MESSAGE = 2000
LONGEST_TARGET = 300
"""A target comes from a request's path, and PostgreSQL's index takes no endless text."""


class ActivityEntry(Model):
    """One thing that was asked for, and how it ended. `outcome` None: only noted."""

    id: int
    at: datetime
    caller: str
    action: str
    target: str | None = None
    outcome: Outcome | None = None
    code: str | None = None
    message: str | None = None
    job_id: str | None = None


class Audit:
    """Writes the record; nothing in it is changed, but how often the same was refused."""

    def __init__(self, store: Store, clock: Clock, secrets: SecretFilter | None = None) -> None:
        self._store = store
        self._clock = clock
        self._secrets = secrets or SecretFilter()

    async def record(  # noqa: PLR0913  # each is a column
        self,
        *,
        caller: str,
        action: str,
        target: str | None = None,
        outcome: Outcome | None = None,
        code: str | None = None,
        message: str | None = None,
        job_id: str | None = None,
        within: AsyncConnection | None = None,
    ) -> int:
        """Append an entry, return its id; `within` a transaction it stands or falls with that."""
        values = {
            "at": self._clock(),
            "caller": caller,
            "action": action,
            "target": target[:LONGEST_TARGET] if target else target,
            "outcome": outcome.value if outcome else None,
            "code": code,
            "message": self._secrets.mask(message)[:LONGEST_MESSAGE] if message else None,
            "job_id": job_id,
        }
        statement = insert(activity).values(values).returning(activity.c.id)
        if within is not None:
            return int((await within.execute(statement)).scalar_one())
        async with self._store.write() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def count(self, entry_id: int, message: str, times: int, last_target: str | None) -> None:
        """Say in an entry how often the same happened until now, and of what the last time."""
        told = f"{message}; {times} times until {self._clock():%Y-%m-%d %H:%M:%S} UTC"
        if last_target:
            told += f", the last time of {last_target[:LONGEST_TARGET]}"
        message = self._secrets.mask(told)[:LONGEST_MESSAGE]
        statement = update(activity).where(activity.c.id == entry_id).values(message=message)
        async with self._store.write() as connection:
            await connection.execute(statement)
