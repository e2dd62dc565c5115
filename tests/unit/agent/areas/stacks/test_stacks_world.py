"""What a stack wants of the host: refused where it is taken, and only there."""

import socket
from collections.abc import Iterator

import pytest

from homelab_agent.areas.containers.models import Compose, Container
from homelab_agent.areas.stacks.world import require_world
from homelab_agent.platform.engine.factory import open_engine
from homelab_agent.platform.errors import Conflict
from tests.fakes.containers import container

HERE, BESIDE = "127.0.0.1", "127.0.0.2"


@pytest.fixture(params=["tcp", "udp"])
def taken(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    """A port on which a program listens, at one address only."""
    kind = socket.SOCK_STREAM if request.param == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as listening:
        listening.bind((HERE, 0))
        if kind is socket.SOCK_STREAM:
            listening.listen()
        yield listening.getsockname()[1], request.param


async def _require(service: dict[str, object], *containers: Container) -> None:
    model = {"services": {"web": service}}
    objects = open_engine("", demo=True).objects
    await require_world("shop", model, containers, objects, ask_kernel=True)


async def test_a_port_is_taken_only_at_the_address_where_somebody_listens(
    taken: tuple[int, str],
) -> None:
    port, protocol = taken
    wanted = {"published": str(port), "protocol": protocol}
    for address in (HERE, "::", ""):
        with pytest.raises(Conflict, match="a program of this host") as refused:
            await _require({"ports": [{**wanted, "host_ip": address}]})
        assert refused.value.field == "services.web.ports[0]"
    await _require({"ports": [{**wanted, "host_ip": BESIDE}]})


async def test_a_container_with_the_name_of_a_service_is_told_of_before_the_deployment() -> None:
    of_others = container("shop-web-1")
    with pytest.raises(Conflict, match="there is a container shop-web-1 already"):
        await _require({}, of_others)
    await _require({"container_name": "web"}, of_others)
    await _require({"scale": 0}, of_others)
    await _require({"deploy": {"replicas": 0}}, of_others)
    own = container("shop-web-2").model_copy(
        update={"compose": Compose(project="shop", service="web", index=2)}
    )
    await _require({}, of_others, own)
