"""Waiting for something to become true, never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

STEP_S = 0.02


async def wait_until[Value](
    check: Callable[[], Awaitable[Value | None]], *, what: str, within_s: float = 60
) -> Value:
    """Return what `check` returns once that is neither None nor False.

    Raises:
        TimeoutError: naming `what`, when that took longer than `within_s`.
    """
    deadline = monotonic() + within_s
    while True:
        value = await check()
        if value is not None and value is not False:
            return value
        if monotonic() > deadline:
            raise TimeoutError(f"Waited {within_s:g} s in vain for {what}")
        await asyncio.sleep(STEP_S)
