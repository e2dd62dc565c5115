"""The way to one registry: one request at a time, not too fast, and none while it is in trouble."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from homelab_agent.platform.clock import Steady, steady_s
from homelab_agent.platform.errors import AgentError, RateLimited, TimedOut, Unavailable

LONGEST_WAIT_S = 6 * 3600.0
LONGEST_ASKED_S = 24 * 3600.0
"""How long a registry may ask us to stay away."""

_JITTER = 0.2
_FORGIVE_S = 60.0
_NEARLY_USED_UP = 0.1
_SLOWED_S = 1800.0

_REGISTRY_WIDE = (Unavailable, TimedOut, RateLimited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a registry is asked. `first_wait_s` doubles with each failure in a row."""

    spacing_s: float = 0.5
    first_wait_s: float = 60.0
    deadline_s: float = 20.0


class Lane:
    """Requests to one registry, in single file. A closed lane refuses at once, without asking."""

    def __init__(self, pace: Pace, *, now: Steady = steady_s, dice: Random | None = None) -> None:
        self._pace = pace
        self._now = now
        self._dice = dice or Random()  # noqa: S311 - nothing secret is drawn
        self._turn = asyncio.Lock()
        self._ended_at: float | None = None
        self._failures = 0
        self._closed_until = 0.0
        self._asked_for = False
        self._error: AgentError | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it; raise why there is none while the registry is in trouble."""
        async with self._turn:
            self._require_open()
            await self._keep_distance()
            try:
                yield
            except _REGISTRY_WIDE as error:
                self._close(error)
                raise
            finally:
                self._ended_at = self._now()

    def answered(self) -> None:
        """Note that the registry works as it should."""
        self._failures = 0

    def slow_down(self, remaining: int, limit: int, *, name: str) -> None:
        """Stay away for a while when what the registry allows is nearly used up."""
        if limit <= 0 or remaining > limit * _NEARLY_USED_UP:
            return
        self._error = RateLimited(
            f"{name} allows only {remaining} more requests of {limit} for now.",
            hint="Log in to it (setting registries) to be allowed more.",
        )
        self._closed_until, self._asked_for = self._now() + _SLOWED_S, True

    def forgive(self) -> None:
        """Open the lane unless the registry itself closed it, or it failed within this minute."""
        recent = self._ended_at is not None and self._now() - self._ended_at < _FORGIVE_S
        if not (self._asked_for or recent):
            self._closed_until = 0.0

    def _require_open(self) -> None:
        left_s = self._closed_until - self._now()
        if left_s <= 0 or self._error is None:
            return
        raise type(self._error)(
            self._error.message, hint=self._error.hint, retry_after_s=left_s
        ) from None

    async def _keep_distance(self) -> None:
        if self._ended_at is None:
            return
        spacing_s = self._pace.spacing_s * self._dice.uniform(1 - _JITTER, 1 + _JITTER)
        await asyncio.sleep(max(0.0, self._ended_at + spacing_s - self._now()))

    def _close(self, error: AgentError) -> None:
        self._asked_for = error.retry_after_s is not None
        if error.retry_after_s is not None:
            wait_s = min(max(error.retry_after_s, self._pace.first_wait_s), LONGEST_ASKED_S)
        else:
            doubled_s = self._pace.first_wait_s * 2 ** min(self._failures, 20)
            wait_s = min(doubled_s, LONGEST_WAIT_S)
            wait_s *= self._dice.uniform(1, 1 + _JITTER)
        self._failures += 1
        self._error, self._closed_until = error, self._now() + wait_s
        error.retry_after_s = wait_s
