"""A bound on what may be unbounded work: a few at once, some wait, the others come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homelab_agent.platform.errors import RateLimited


class Turns:
    """Lets `at_once` callers in, lets `waiting` more wait for their turn, and refuses the rest."""

    def __init__(self, what: str, *, at_once: int, waiting: int, retry_after_s: float) -> None:
        self._what = what
        self._slots = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._present = 0
        self._retry_after_s = retry_after_s

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it for the length of the context; else raise `RateLimited`."""
        if self._present >= self._most:
            raise RateLimited(
                f"{self._what}: as many as Docker can be asked for at once are waiting already.",
                hint="Ask for one after the other.",
                retry_after_s=self._retry_after_s,
            )
        self._present += 1
        try:
            async with self._slots:
                yield
        finally:
            self._present -= 1
