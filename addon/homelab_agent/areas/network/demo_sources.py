"""Sources for the invented homelab: nobody is asked, the addresses are nobody's."""

from ipaddress import ip_address

from homelab_agent.areas.network.address_sources import Answer, IpVersion

_ADDRESSES = {
    IpVersion.IPV4: ip_address("203.0.113.24"),
    IpVersion.IPV6: ip_address("2001:db8:4a:1::24"),
}
_SOURCES = ("api.example.net", "ip.example.org")


class DemoSources:
    """Implements `Sources` with addresses of the documentation ranges."""

    async def ask(self, version: IpVersion) -> tuple[Answer, ...]:
        """Return that all agree."""
        return tuple(
            Answer(source=name, address=_ADDRESSES[version], clock_ahead_s=0.1) for name in _SOURCES
        )
