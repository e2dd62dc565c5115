"""Two names of the invented homelab: one that has just to be written, one that is as it should."""

from datetime import timedelta

from homelab_agent.areas.ddns.kept import KeptAddress, Pair
from homelab_agent.areas.ddns.models import DynamicState
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.store.records import Records

_HOME, _VPN = "home.example.org", "vpn.home.example.org"
_BEFORE = Pair(ipv4="203.0.113.20", ipv6="2001:db8:20::1")
_NOW = Pair(ipv4="203.0.113.24")


class DemoNames:
    """Invents them where there are none yet."""

    def __init__(self, records: Records[KeptAddress], clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def invent(self) -> None:
        """Keep both, as if they had been followed for a while."""
        if await self._records.all():
            return
        now = self._clock()
        current = DynamicState.CURRENT
        home = KeptAddress(
            ipv4=True,
            ipv6=True,
            ttl_s=300,
            wanted=_BEFORE,
            written=_BEFORE,
            state=current,
            changed_at=now - timedelta(days=11, hours=4),
            checked_at=now - timedelta(minutes=9),
        )
        vpn = KeptAddress(
            ipv4=True,
            ipv6=False,
            ttl_s=300,
            wanted=_NOW,
            written=_NOW,
            state=current,
            changed_at=now - timedelta(days=3),
            checked_at=now - timedelta(minutes=4),
        )
        await self._records.put({_HOME: (now, home), _VPN: (now, vpn)})
