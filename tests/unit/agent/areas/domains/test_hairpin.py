"""A home whose router lets nobody in from inside: its own address says nothing of its sites."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from homelab_agent.areas.domains.checks.page import HTTPS_PORT
from homelab_agent.areas.domains.checks.records import RecordsCheck
from homelab_agent.areas.domains.checks.web import Served
from homelab_agent.areas.domains.looking import Looker
from homelab_agent.areas.domains.models import (
    CheckName,
    CheckResult,
    DomainCheck,
    DomainHealth,
    DomainStatus,
)
from homelab_agent.areas.network.models import (
    NETWORK_KEY,
    NETWORK_STATUS_KIND,
    NetworkStatus,
    PublicAddress,
)
from homelab_agent.areas.proxy.models import (
    PROXY_KEY,
    PROXY_KIND,
    PROXY_ROUTE_KIND,
    ProxyMode,
    ProxyReach,
    ProxyRoute,
    ProxyStatus,
    RouteCertificate,
    RouteOptions,
    RouteState,
)
from tests.unit.agent.areas.domains.one_house import ZONE, OneHouse, a_record

NAME = f"mail.{ZONE}"
OWN = "203.0.113.20"


@dataclass
class Sites:
    """Whatever listens, by address and port, and what it answers."""

    status: dict[tuple[str, int], int]
    asked: list[tuple[str, int]] = field(default_factory=list)
    leads_to: str | None = None
    """Where the upstreams of routes lead to, where none may."""

    async def https(
        self,
        name: str,  # noqa: ARG002 - the same for all
        addresses: Sequence[str],
        *,
        port: int = HTTPS_PORT,
    ) -> Served:
        self.asked.append((addresses[0], port))
        status = self.status.get((addresses[0], port))
        reached = CheckResult.OK if status else CheckResult.FAILED
        well = CheckResult.OK if status == 200 else CheckResult.FAILED
        return Served(
            checks=(
                DomainCheck(name=CheckName.REACHABLE, result=reached, reason="no answer"),
                DomainCheck(
                    name=CheckName.HTTPS, result=well if status else CheckResult.SKIPPED, reason="5"
                ),
                DomainCheck(name=CheckName.CERTIFICATE, result=CheckResult.SKIPPED),
            )
        )

    async def http(self, addresses: Sequence[str]) -> Served:
        raise AssertionError(f"nobody asks {addresses}")

    async def misled(self, upstreams: Sequence[str]) -> str | None:
        return None if self.leads_to is None else f"{upstreams[0]} leads to {self.leads_to}"


async def looked_at(house: OneHouse, sites: Sites, *, routed: bool) -> DomainHealth:
    await house.add(NAME, records=[a_record(OWN)])
    nowhere = PublicAddress()
    house.resources.publish(
        NETWORK_STATUS_KIND,
        NETWORK_KEY,
        NetworkStatus(
            public_ipv4=PublicAddress(address=OWN),
            public_ipv6=nowhere,
            listening_ports=0,
            exposed_ports=0,
        ),
    )
    house.resources.publish(
        PROXY_KIND,
        PROXY_KEY,
        ProxyStatus(mode=ProxyMode.MANAGED, reach=ProxyReach.OK, addresses=("127.0.0.1:8443",)),
    )
    if routed:
        route = ProxyRoute(
            key=NAME,
            upstreams=("web:80",),
            certificate=RouteCertificate.CADDY,
            options=RouteOptions(),
            state=RouteState.OK,
            changed_at=house.clock(),
        )
        house.resources.publish(PROXY_ROUTE_KIND, NAME, route)
    looker = Looker(RecordsCheck(house.dns), sites, house.around, house.clock)
    kept = house.service.kept(NAME)
    assert kept is not None
    return await looker.look(kept)


@pytest.mark.parametrize(
    ("status", "found"), [(200, DomainStatus.HEALTHY), (502, DomainStatus.UNHEALTHY)]
)
async def test_the_proxy_itself_tells_how_a_site_is(
    house: OneHouse, status: int, found: DomainStatus
) -> None:
    sites = Sites({("127.0.0.1", 8443): status})
    health = await looked_at(house, sites, routed=True)
    assert health.status is found
    assert "from inside" in (health.checks[1].reason or "")


async def test_where_the_proxy_is_away_too_the_site_is_down(house: OneHouse) -> None:
    assert (await looked_at(house, Sites({}), routed=True)).status is DomainStatus.UNHEALTHY


async def test_a_site_that_somebody_elses_proxy_serves_is_not_asked_of_ours(
    house: OneHouse,
) -> None:
    sites = Sites({("127.0.0.1", 8443): 200})
    assert (await looked_at(house, sites, routed=False)).status is DomainStatus.UNHEALTHY
    assert sites.asked == [(OWN, HTTPS_PORT)]


async def test_a_route_whose_upstream_leads_to_the_cloud_by_now_is_told_though_it_answers(
    house: OneHouse,
) -> None:
    sites = Sites({(OWN, HTTPS_PORT): 200}, leads_to="169.254.169.254")
    health = await looked_at(house, sites, routed=True)
    assert health.status is DomainStatus.UNHEALTHY
    assert "web:80 leads to 169.254.169.254" in str(health.reason)
