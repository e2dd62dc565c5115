import pytest

from homelab_agent.areas.provisioning.authority_words import last_words
from homelab_agent.areas.provisioning.upstreams import Upstreams
from homelab_agent.areas.proxy.models import ProxyMode, ProxyReach, ProxyStatus
from homelab_agent.platform.engine.models import Port
from homelab_agent.platform.errors import Conflict, Invalid
from tests.fakes.containers import container
from tests.fakes.provisioning_partners import FakeContainers

ON_MACHINE = ProxyStatus(mode=ProxyMode.OWN, reach=ProxyReach.OK)
IN_CONTAINER = ProxyStatus(mode=ProxyMode.OWN, reach=ProxyReach.OK, container="caddy")
BRIDGE_ID = "b" * 64


def _port(inner: int, outer: int | None = None, host_ip: str = "0.0.0.0") -> Port:  # noqa: S104
    return Port(
        container_port=inner,
        protocol="tcp",
        host_ip=host_ip if outer else None,
        host_port=outer,
    )


def _host(*ports: Port) -> FakeContainers:
    return FakeContainers(container("photos", ports=ports), container("caddy"))


def _finder(host: FakeContainers) -> Upstreams:
    return Upstreams(host, host, host)


@pytest.mark.parametrize(
    ("port", "address"),
    [
        (_port(80, 8080), "127.0.0.1:8080"),
        (_port(80, 8080, "192.0.2.5"), "192.0.2.5:8080"),
        (_port(80, 8080, "::1"), "[::1]:8080"),
    ],
)
async def test_a_proxy_on_the_machine_goes_where_the_port_is_published(
    port: Port, address: str
) -> None:
    found = await _finder(_host(port)).find("photos", None, ON_MACHINE)

    assert found.address == address
    assert found.warning is None


async def test_an_address_that_may_change_is_taken_with_a_warning() -> None:
    host = _host(_port(80))
    host.own = ("172.17.0.5:80",)

    found = await _finder(host).find("photos", None, ON_MACHINE)

    assert found.address == "172.17.0.5:80"
    assert found.warning is not None
    assert "Publish" in found.warning


async def test_where_no_way_leads_it_is_said_what_to_do() -> None:
    with pytest.raises(Conflict) as refused:
        await _finder(_host(_port(80))).find("photos", None, ON_MACHINE)

    assert refused.value.hint is not None
    assert "Publish" in refused.value.hint


async def test_a_proxy_in_a_container_finds_another_by_name_in_a_network_of_both() -> None:
    host = _host(_port(80, 8080))
    host.networks = {"photos": ("web", "a" * 64), "caddy": ("web", "a" * 64, "other")}

    found = await _finder(host).find("photos", None, IN_CONTAINER)

    assert found.address == "photos:80"


async def test_dockers_own_bridge_is_no_network_in_which_names_are_found() -> None:
    host = _host(_port(80, 8080))
    host.networks = {"photos": ("bridge", BRIDGE_ID), "caddy": ("bridge", BRIDGE_ID)}

    with pytest.raises(Conflict) as refused:
        await _finder(host).find("photos", None, IN_CONTAINER)

    assert refused.value.hint is not None
    assert "docker network connect" in refused.value.hint


async def test_a_proxy_in_the_machines_network_is_on_the_machine() -> None:
    host = _host(_port(80, 8080))
    host.networks = {"caddy": ("host",)}

    assert (await _finder(host).find("photos", None, IN_CONTAINER)).address == "127.0.0.1:8080"


@pytest.mark.parametrize("ports", [(), (_port(80, 8080), _port(443, 8443))])
async def test_which_port_is_meant_has_to_be_clear(ports: tuple[Port, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        await _finder(_host(*ports)).find("photos", None, ON_MACHINE)

    assert refused.value.field == "port"


async def test_a_port_that_is_named_is_taken() -> None:
    host = _host(_port(80, 8080), _port(443, 8443))

    assert (await _finder(host).find("photos", 443, ON_MACHINE)).address == "127.0.0.1:8443"


def test_the_authoritys_words_are_found_in_caddys_log() -> None:
    lines = (
        '{"level":"info","msg":"obtaining","identifier":"photos.home.example"}',
        "no JSON about photos.home.example",
        '{"level":"error","msg":"will retry","error":"[photos.home.example] 403 CAA forbids"}',
        '{"level":"error","msg":"will retry","error":"another.example: no"}',
    )

    assert last_words("photos.home.example", lines) == "[photos.home.example] 403 CAA forbids"
    assert last_words("unknown.example", lines) is None
