"""Failed logins: the first few are answered at once, the next ones ever more slowly."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from homelab_agent.platform.errors import RateLimited

FREE_FAILURES = 5
LONGEST_DELAY_S = 5.0
FORGET_AFTER_S = 900.0
MAX_WAITERS = 64
MAX_WAITERS_PER_PEER = 4
MAX_PEERS = 4096


@dataclass(slots=True)
class _Peer:
    failures: int
    last_at: float
    waiters: int = 0


class LoginThrottle:
    """Counts failed logins per peer and makes a failing peer wait.

    Only failures wait: a good token gets through at once, also from a peer that somebody else
    misuses.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._peers: OrderedDict[str, _Peer] = OrderedDict()
        self._waiters = 0

    async def failed(self, peer: str) -> None:
        """Count a failure and wait as long as it deserves.

        Raises:
            RateLimited: when too many answers are being held back already.
        """
        state = self._count(peer)
        delay_s = _delay_s(state.failures)
        if not delay_s:
            return
        if state.waiters >= MAX_WAITERS_PER_PEER or self._waiters >= MAX_WAITERS:
            raise RateLimited(
                "Too many failed logins.",
                hint="Create a token with: homelab-agent token create",
                retry_after_s=delay_s,
            )
        state.waiters += 1
        self._waiters += 1
        try:
            await self._sleep(delay_s)
        finally:
            state.waiters -= 1
            self._waiters -= 1

    def _count(self, peer: str) -> _Peer:
        now = self._clock()
        state = self._peers.pop(peer, None)
        if state is None:
            state = _Peer(0, now)
        elif now - state.last_at > FORGET_AFTER_S:
            state.failures = 0
        state.failures += 1
        state.last_at = now
        self._peers[peer] = state
        if len(self._peers) > MAX_PEERS:
            self._peers.popitem(last=False)
        return state


def _delay_s(failures: int) -> float:
    return float(min(max(0, failures - FREE_FAILURES), LONGEST_DELAY_S))
