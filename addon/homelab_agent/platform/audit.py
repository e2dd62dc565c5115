"""The record of what was asked of the agent and how it ended."""

from datetime import datetime

from sqlalchemy import insert

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
    """Writes the record; nothing in it is ever changed."""

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
    ) -> None:
        """Append an entry; `within` a transaction it stands or falls with that."""
        statement = insert(activity).values(
            at=self._clock(),
            caller=caller,
            action=action,
            target=target[:LONGEST_TARGET] if target else target,
            outcome=outcome.value if outcome else None,
            code=code,
            message=self._secrets.mask(message)[:LONGEST_MESSAGE] if message else None,
            job_id=job_id,
        )
        if within is not None:
            await within.execute(statement)
            return
        async with self._store.write() as connection:
            await connection.execute(statement)
