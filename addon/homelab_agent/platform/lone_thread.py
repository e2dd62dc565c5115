"""Calls that may hang for ever, where their hanging costs nobody anything."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from homelab_agent.platform.errors import Unavailable


class StillHangs(Exception):
    """An earlier call has not come back yet, so this one was not made."""


class LoneThread:
    """Makes one blocking call at a time, in a thread that nobody waits for at the end.

    After a call that took longer than `within_s` no other is made until that one is back: there is
    never more than one thread.
    """

    def __init__(self, name: str, *, within_s: float) -> None:
        self._name = name
        self._within_s = within_s
        self._running: asyncio.Future[Any] | None = None
        self._hangs = False

    async def run[Value](self, work: Callable[[], Value]) -> Value:
        """Return what `work` returns.

        Raises:
            StillHangs: it was not called, as an earlier call has not come back.
            TimeoutError: it was called, and did not come back in time.
        """
        await self._free()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Value] = loop.create_future()
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())

        def call() -> None:
            try:
                settle, said = answer.set_result, work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised by `run`
                with suppress(RuntimeError):  # the loop is closed: the agent ends
                    loop.call_soon_threadsafe(answer.set_exception, error)
                return
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, said)

        self._running, self._hangs = answer, False
        Thread(target=call, name=self._name, daemon=True).start()
        try:
            async with asyncio.timeout(self._within_s):
                return await asyncio.shield(answer)
        except TimeoutError:
            self._hangs = not answer.done()
            raise

    async def answer[Value](self, work: Callable[[], Value], *, otherwise: str) -> Value:
        """Return what `work` reads of file systems, which may be away.

        Raises:
            Unavailable: it did not come back in time, or an earlier one has not; says `otherwise`.
        """
        try:
            return await self.run(work)
        except (StillHangs, TimeoutError) as error:
            hint = "Look for a network drive whose server is away"
            raise Unavailable(otherwise, hint=hint) from error

    async def _free(self) -> None:
        """Wait for those before."""
        try:
            async with asyncio.timeout(self._within_s):
                while self._running is not None and not self._running.done():
                    if self._hangs:
                        raise StillHangs
                    await asyncio.wait({self._running})
        except TimeoutError as error:
            raise StillHangs from error
