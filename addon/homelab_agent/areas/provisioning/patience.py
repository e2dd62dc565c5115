"""How long each step may take: what hangs is given up, and taken back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from homelab_agent.platform.errors import RateLimited, TimedOut, Unavailable
from homelab_agent.platform.jobs.progress import report

_FIRST_AGAIN_S = 0.5
_LONGEST_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """In seconds. `undo_s`: for so long a way back is tried that something which is away blocks."""

    step_s: float = 60
    propagation_s: float = 600
    certificate_s: float = 300
    health_s: float = 60
    undo_s: float = 300


@asynccontextmanager
async def deadline(seconds: float, what: str, hint: str) -> AsyncIterator[None]:
    """Give up what hangs inside.

    Raises:
        TimedOut: naming `what`, with the remedy.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TimedOut(f"{what} did not end within {seconds:g} s.", hint=hint) from error


async def until_possible(
    work: Callable[[], Awaitable[None]], *, what: str, within_s: float, try_s: float
) -> None:
    """Do what may be done twice, again and again while what it needs is away.

    Raises:
        Unavailable, TimedOut, RateLimited: the last one, when it was away for too long.
    """
    clock = asyncio.get_running_loop().time
    give_up, again_s = clock() + within_s, _FIRST_AGAIN_S
    tries = 0
    while True:
        try:
            async with deadline(try_s, what, "Look whether what it needs answers at all."):
                await work()
        except (Unavailable, TimedOut, RateLimited) as error:
            if clock() + again_s > give_up:
                raise
            report(None, f"{what} is tried again: {error.message}")
            tries += 1
        else:
            if tries:
                report(None, f"{what} worked in the end.")
            return
        await asyncio.sleep(again_s)
        again_s = min(again_s * 2, _LONGEST_AGAIN_S)
