"""The network as a whole: parts that are looked at apart, published as one resource."""

from homelab_agent.areas.network.models import (
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NetworkStatus,
    PublicAddress,
)
from homelab_agent.platform.host.network import DefaultRoute, NetworkView
from homelab_agent.platform.resources import Resources

NOT_ASKED_YET = PublicAddress(reason="It was not asked for yet.")


class StatusBoard:
    """Publishes the status from the first look on; every part is put in when it is known."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._view: NetworkView | None = None
        self._neighbours: int | None = None
        self._hint: str | None = None
        self._ports = (0, 0)
        self._public = (NOT_ASKED_YET, NOT_ASKED_YET)
        self._clock_offset_s: float | None = None

    def put_view(self, view: NetworkView, *, neighbours: int | None) -> None:
        """Take how the network is set up."""
        self._view, self._neighbours = view, neighbours

    def put_ports(self, *, listening: int, exposed: int, hint: str | None) -> None:
        """Take how many ports there are, and publish."""
        self._ports, self._hint = (listening, exposed), hint
        self._publish()

    def put_public(
        self, ipv4: PublicAddress, ipv6: PublicAddress, clock_offset_s: float | None
    ) -> None:
        """Take how the internet sees this network, and publish."""
        self._public, self._clock_offset_s = (ipv4, ipv6), clock_offset_s
        self._publish()

    def _publish(self) -> None:
        view = self._view
        if view is None:
            return
        default = view.route_ipv4 or view.route_ipv6
        status = NetworkStatus(
            default_interface=default.interface if default else None,
            gateway_ipv4=_gateway(view.route_ipv4),
            gateway_ipv6=_gateway(view.route_ipv6),
            dns_servers=view.dns_servers,
            public_ipv4=self._public[0],
            public_ipv6=self._public[1],
            neighbours=self._neighbours,
            listening_ports=self._ports[0],
            exposed_ports=self._ports[1],
            clock_offset_s=self._clock_offset_s,
            view_hint=self._hint,
        )
        self._resources.publish(NETWORK_STATUS_KIND, NETWORK_KEY, status)


def _gateway(route: DefaultRoute | None) -> str | None:
    return str(route.gateway) if route and route.gateway else None
