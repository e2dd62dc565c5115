"""A short look at what is read only while somebody listens."""

import asyncio
from collections.abc import Collection

from homelab_agent.platform.resources import Overflow, Resources, Subscription

WITHIN_S = 30.0
"""So long a look may take: the first figures come within seconds, or not at all."""

_GATHER_S = 0.2
"""What belongs together is published together; this is for what is only a little later."""


async def glance(
    resources: Resources, kinds: Collection[str], *, within_s: float = WITHIN_S
) -> frozenset[str]:
    """Listen until all of these kinds were published once; return those of which that is so.

    Of a kind that somebody else listens to, what is there is new enough.
    """
    waiting = {kind for kind in kinds if not resources.has_listener(kind)}
    seen = set(kinds) - waiting
    with resources.subscribe(kinds=kinds) as changes:
        try:
            async with asyncio.timeout(within_s if waiting else 0):
                await _await_all(changes, waiting, seen)
                await asyncio.sleep(_GATHER_S)
        except TimeoutError, Overflow:
            pass
        return frozenset(kind for kind in seen if resources.keys(kind))


async def _await_all(changes: Subscription, waiting: set[str], seen: set[str]) -> None:
    async for batch in changes.batches():
        seen |= {change.kind for change in batch if change.data is not None}
        if waiting <= seen:
            return
