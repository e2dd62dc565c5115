"""What the helper container does: replaces the agent's container, without the agent's store.

Its journal is a file, so that its own death leaves a working agent too: it is started again, and
goes on or back from where it was.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import time

from pydantic import Field, JsonValue, ValidationError

from homelab_agent.areas.recreate.facts import STOP, step_name
from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.http_check import HttpCheck
from homelab_agent.areas.recreate.models import RecreateTarget
from homelab_agent.areas.recreate.patience import Patience
from homelab_agent.areas.recreate.steps import steps_for
from homelab_agent.areas.recreate.store import Record
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.durable_files import replace_file
from homelab_agent.platform.engine.factory import EngineFaces, open_engine
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.errors import AgentError, Failed, Invalid
from homelab_agent.platform.jobs.kinds import Step, StepContext
from homelab_agent.platform.model import Model
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import STORE_FILE
from homelab_agent.platform.store.sqlite_file import put_back_copy

_JOURNAL = "replace-container.json"


class _Progress(Model):
    """How far it is since `at` (Unix time): `began` steps were begun; `error`: why it goes back.

    Once it `ended` nothing is done any more, however often the engine starts this again.
    """

    job_id: str
    target: RecreateTarget
    at: float = Field(default_factory=time)
    began: int = 0
    data: dict[str, JsonValue] = Field(default_factory=dict)
    error: str | None = None
    ended: bool = False


class _Notes:
    """Remembers nothing for longer than this program lives: the agent notes how it went."""

    def __init__(self) -> None:
        self._record = Record()

    def now(self) -> datetime:
        """Return the time."""
        return utc_now()

    async def read(self, _key: str) -> Record:
        """Return what was noted."""
        return self._record

    async def write(self, _key: str, record: Record) -> None:
        """Note it."""
        self._record = record


async def replace_container(docker_url: str, folder: Path, job_id: str, order: str) -> str:
    """Replace the container that `order` (a target as JSON) names; return in words how it went.

    The same job is done once, and its end told again.

    Raises:
        AgentError: it did not work, and the old container is back.
    """
    try:
        target = RecreateTarget.model_validate_json(order)
    except ValidationError as error:
        raise Invalid(f"That is no target: {error.error_count()} mistakes in it") from None
    faces = open_engine(docker_url)
    try:
        progress = _Progress(job_id=job_id, target=target)
        return await _Replacing(progress, _hands(faces), folder).run()
    finally:
        await faces.containers.close()


class _Replacing:
    def __init__(self, progress: _Progress, hands: Hands, folder: Path) -> None:
        self._target = progress.target
        self._steps: tuple[Step[RecreateTarget], ...] = steps_for([progress.target], hands)
        self._journal = folder / _JOURNAL
        self._store = folder / STORE_FILE
        self._progress = progress

    async def run(self) -> str:
        again = await asyncio.to_thread(self._load)
        if not self._progress.ended:
            if self._progress.error is None:
                await self._go_forward(again=again)
            if self._progress.error is not None:
                await self._go_back(again=again)
            await self._save(ended=True)
        if self._progress.error is not None:
            raise Failed(self._progress.error)
        return f"{self._target.name} was replaced."

    async def _go_forward(self, *, again: bool) -> None:
        first = max(self._progress.began - 1, 0)
        for position, step in enumerate(self._steps[first:], start=first):
            await self._save(began=position + 1)
            try:
                result = await step.do(self._context(again=again and position == first))
            except AgentError as error:
                await self._save(error=error.message)
                return
            await self._save(data={**self._progress.data, **result.data})

    async def _go_back(self, *, again: bool) -> None:
        problems: Sequence[str] = ()
        for step in reversed(self._steps[: self._progress.began]):
            if step.undo is None:
                continue
            try:
                if step.name == step_name(STOP, self._target):
                    # The old agent is about to run again, and reads no store of a newer one.
                    await asyncio.to_thread(put_back_copy, self._store, self._progress.at)
                await step.undo(self._context(again=again))
            except (AgentError, OSError, sqlite3.Error) as error:
                problems = (*problems, f"Undoing {step.name} failed: {error}")
        if problems:
            await self._save(error=". ".join((self._progress.error or "", *problems)))

    def _context(self, *, again: bool) -> StepContext[RecreateTarget]:
        return StepContext(
            job_id=self._progress.job_id,
            arguments=self._target,
            data=self._progress.data,
            again=again,
        )

    async def _save(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)
        text = self._progress.model_dump_json()
        await asyncio.to_thread(replace_file, self._journal, text)

    def _load(self) -> bool:
        """Take up what an earlier life of this helper wrote; return whether there was one."""
        try:
            known = _Progress.model_validate_json(self._journal.read_text())
        except OSError, ValidationError:
            return False
        if known.job_id != self._progress.job_id:
            return False
        self._progress = known
        return True


async def _look_at_nothing(_container_id: str) -> None:
    return None


async def _injected_nothing(_row: EngineContainer) -> tuple[str, ...]:
    return ()


def _hands(faces: EngineFaces) -> Hands:
    return Hands(
        containers=faces.containers,
        images=faces.images,
        recreate=faces.recreate,
        guard=lambda _row: None,
        look=_look_at_nothing,
        injected=_injected_nothing,
        logins=None,
        http=HttpCheck(),
        patience=Patience(faces.containers),
        book=_Notes(),
        secrets=SecretFilter(),
    )
