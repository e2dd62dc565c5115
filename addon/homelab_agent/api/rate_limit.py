"""How much one caller may ask: a bucket of requests each, refilled at a steady rate."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from homelab_agent.platform.errors import RateLimited

REQUESTS_PER_S = 50.0
BURST_REQUESTS = 200
MAX_CALLERS = 4096


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimit:
    """One bucket per caller. The least recently seen callers are forgotten beyond `MAX_CALLERS`."""

    def __init__(
        self,
        *,
        per_s: float = REQUESTS_PER_S,
        burst: int = BURST_REQUESTS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request; raise `RateLimited` when the bucket is empty."""
        now = self._clock()
        bucket = self._buckets.pop(caller, None) or _Bucket(self._burst, now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_s)
        bucket.at = now
        self._buckets[caller] = bucket
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            raise RateLimited(
                f"More than {self._per_s:g} requests per second.",
                hint="Send fewer, or listen to GET /api/v1/stream instead of asking.",
                retry_after_s=(1 - bucket.left) / self._per_s,
            )
        bucket.left -= 1
