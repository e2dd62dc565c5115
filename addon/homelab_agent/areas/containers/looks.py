"""Lets a loop that looks from time to time be told to look at once."""

import asyncio


class Looks:
    """The pauses of a loop, and those who wait for its next look."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._next: list[asyncio.Future[None]] = []

    async def pause(self, seconds: float) -> None:
        """Wait before the next look, not at all where somebody asked for one."""
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            pass
        self._asked.clear()
        # A look that was under way when one was asked for may have missed what is new.
        self._next += self._waiting
        self._waiting = []

    def done(self) -> None:
        """Tell that a look was done, whatever it showed."""
        for waiting in self._next:
            if not waiting.done():
                waiting.set_result(None)
        self._next = []

    async def now(self) -> None:
        """Have it looked at once; return after a whole look that began after this call."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self._asked.set()
        await waiting
