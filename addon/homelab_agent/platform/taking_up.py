"""Waiting, right after the agent's start, for what it takes up as it was left."""

import asyncio

from homelab_agent.platform.errors import Unavailable

LONGEST_S = 10.0
"""How long somebody who asks waits for it."""


async def until_taken_up(ready: asyncio.Event, what: str) -> None:
    """Return when `ready` is set.

    Raises:
        Unavailable: that takes long; names `what`, a plural.
    """
    try:
        async with asyncio.timeout(LONGEST_S):
            await ready.wait()
    except TimeoutError:
        raise Unavailable(f"The agent is still reading its {what}.") from None
