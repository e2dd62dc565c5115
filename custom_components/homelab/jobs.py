"""Waits for jobs of the agent and says how they ended."""

import asyncio
from contextlib import suppress
from typing import Final, Protocol

from homeassistant.core import CALLBACK_TYPE, callback

from .client import (
    AgentClient,
    AgentError,
    CannotConnect,
    CommandResult,
    Job,
    JobState,
    NoAnswer,
    Outcome,
    Undone,
    error_of_job,
)
from .client.kinds import JOB
from .mirror import Mirror

SILENCE_S: Final = 300.0
"""How long a job may go unheard of while the agent is away: it restarts when it updates itself."""

ASK_AGAIN_S: Final = 1.0
"""How often a job is asked for once nobody hears the agent's stream for us any more."""

_BAD: Final = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.UNDONE})


class Watched(Protocol):
    """What is needed of the coordinator to follow a job."""

    client: AgentClient
    connected: bool
    stopped: bool
    mirror: Mirror

    def async_listen(self, resource: tuple[str, str], listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` after each change of a resource or of its availability."""


def raise_unless_well(result: CommandResult) -> None:
    """Raise the error that a bad outcome stands for."""
    if result.outcome not in _BAD:
        return
    if result.job is not None and result.job.error is not None:
        raise error_of_job(result.job.error, undone=result.outcome is Outcome.UNDONE)
    raise (Undone if result.outcome is Outcome.UNDONE else AgentError)(result.message)


async def async_end_of(agent: Watched, job: Job) -> CommandResult:
    """Wait for the end of a job and return how it ended.

    Raises:
        NoAnswer: the agent went away and did not come back; how it ended is not known.
    """
    changed = asyncio.Event()
    clock = asyncio.get_running_loop().time
    silent_since: float | None = None

    @callback
    def note() -> None:
        changed.set()

    end = agent.async_listen((JOB.name, job.id), note)
    try:
        while (found := await _known(agent, job)) is None or found.state is not JobState.FINISHED:
            now = clock()
            silent_since = None if found else silent_since or now
            if silent_since is not None and now - silent_since >= SILENCE_S:
                raise NoAnswer("The agent has been away for minutes")
            with suppress(TimeoutError):
                async with asyncio.timeout(_patience_s(agent)):
                    await changed.wait()
            changed.clear()
    finally:
        end()
    return CommandResult(outcome=found.outcome, message=found.message or "", job=found)


def _patience_s(agent: Watched) -> float | None:
    """Return how long to wait for news; None: they come by themselves."""
    if agent.stopped:
        return ASK_AGAIN_S
    return None if agent.connected else SILENCE_S


async def _known(agent: Watched, job: Job) -> Job | None:
    """Return the job as it is; None while nothing can be known."""
    if not agent.connected and not agent.stopped:
        return None
    found = None if agent.stopped else agent.mirror.get(JOB, job.id)
    if found is None:
        # Its end was published and forgotten while nobody listened: the journal knows it.
        try:
            found = await agent.client.job(job.id)
        except CannotConnect:
            return None
    return found
