"""One name while the agent runs: what it is to lead to, and when something is to be done."""

from dataclasses import dataclass, field
from datetime import datetime

from homelab_agent.areas.ddns.kept import KeptAddress, Pair
from homelab_agent.areas.ddns.models import DynamicAddress, DynamicState
from homelab_agent.areas.ddns.sources import Seen

SETTLE_S = 10.0
"""A new address has to last so long before it is written: a line that comes back may waver."""

HOLD_S = 3600.0
"""For so long an address counts as it was while the sources do not agree, or are away."""


@dataclass(slots=True)
class Followed:
    """A name. Seconds are those of the steady clock.

    `paced_s`: until then the provider wants a pause. `retry_s`: until then we make one after a
    failure. `check_s`: when to look what is served. `seen_s`: when all that is wanted was seen.
    """

    key: str
    kept: KeptAddress
    paced_s: float = 0.0
    retry_s: float = 0.0
    check_s: float = 0.0
    seen_s: float = field(default=float("-inf"))
    candidate: Pair | None = None
    candidate_s: float = 0.0
    uncertain: str | None = None

    def notice(self, seen: Seen, now_s: float) -> bool:
        """Take what the sources tell now; return whether that changes what is wanted."""
        known, self.uncertain = self.kept.wanted, seen.reason
        if (seen.pair.ipv4 or not known.ipv4) and (seen.pair.ipv6 or not known.ipv6):
            self.seen_s = now_s
        # What is not known just now stays as it was.
        pair = Pair(ipv4=seen.pair.ipv4 or known.ipv4, ipv6=seen.pair.ipv6 or known.ipv6)
        if pair == known:
            self.candidate = None
            return False
        if pair != self.candidate:
            self.candidate, self.candidate_s = pair, now_s
        is_first = known == Pair()
        if not is_first and now_s - self.candidate_s < SETTLE_S:
            return False
        self.candidate = None
        self.kept = self.kept.model_copy(update={"wanted": pair})
        self.check_s = now_s
        return True

    def is_lost(self, now_s: float) -> bool:
        """Return whether nobody has known an address for so long that it may be another one."""
        return now_s - self.seen_s > HOLD_S

    @property
    def due_s(self) -> float:
        """When it may be written."""
        return max(self.paced_s, self.retry_s)

    @property
    def needs_write(self) -> bool:
        """Whether something is to be written, or whether it was is not known."""
        kept = self.kept
        return bool(kept.missing != Pair() or kept.attempt is not None)

    @property
    def rests(self) -> bool:
        """Whether a person has to say when it goes on."""
        return self.kept.paused or self.kept.state is DynamicState.REFUSED

    def next_s(self, now_s: float) -> float:
        """Return when to look at it again by itself."""
        if self.rests or self.kept.target == Pair():
            return float("inf")
        times = [self.check_s]
        if self.needs_write:
            times.append(self.due_s)
        if self.candidate is not None:
            times.append(self.candidate_s + SETTLE_S)
        return max(min(times), now_s)

    def shown(self, now_s: float) -> DynamicAddress:
        """Return it as the API and the stream show it."""
        kept = self.kept
        return DynamicAddress(
            key=self.key,
            provider=kept.provider,
            source=kept.source,
            interface=kept.interface,
            follows_ipv4=kept.ipv4,
            follows_ipv6=kept.ipv6,
            ttl_s=kept.ttl_s,
            ipv4=kept.written.ipv4,
            ipv6=kept.written.ipv6,
            wanted_ipv4=kept.wanted.ipv4,
            wanted_ipv6=kept.wanted.ipv6,
            state=self._state(now_s),
            reason=kept.reason or self.uncertain,
            changed_at=kept.changed_at,
            checked_at=kept.checked_at,
            next_try_at=self._next_try_at(),
            failures=kept.failures,
        )

    def _state(self, now_s: float) -> DynamicState:
        kept = self.kept
        if kept.paused:
            return DynamicState.PAUSED
        if kept.state is DynamicState.CURRENT and self.is_lost(now_s):
            return DynamicState.UNKNOWN
        return kept.state

    def _next_try_at(self) -> datetime | None:
        waits = {DynamicState.WAITING, DynamicState.FAILED}
        return self.kept.next_try_at if self.kept.state in waits and not self.kept.paused else None
