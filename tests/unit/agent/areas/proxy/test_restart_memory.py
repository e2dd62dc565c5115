from typing import override

import pytest
from pydantic import JsonValue

from homelab_agent.areas.network.models import LISTENING_PORT_KIND, ListeningPort, Reach
from homelab_agent.areas.proxy.demo import DemoCaddy
from homelab_agent.areas.proxy.kept import KeptSetup
from homelab_agent.areas.proxy.memory import RestartMemory
from homelab_agent.areas.proxy.models import ProxyMode
from homelab_agent.platform.host.machine import ProcessReading
from homelab_agent.platform.host.network import Transport
from homelab_agent.platform.resources import Resources
from tests.clock import HandClock
from tests.fakes.containers import container
from tests.fakes.machine import SetMachine

SOCKET = "unix//run/caddy/admin.sock"
OWN = KeptSetup(mode=ProxyMode.OWN, admin=SOCKET)


class SeenCaddy(DemoCaddy):
    """It is known which process listens at its socket."""

    pid: int | None = 7

    @override
    async def process_id(self) -> int | None:
        return self.pid


@pytest.fixture
def machine(clock: HandClock) -> SetMachine:
    return SetMachine(clock)


@pytest.fixture
def memory(machine: SetMachine, resources: Resources) -> RestartMemory:
    return RestartMemory(machine, lambda _: None, resources)


def process(
    clock: HandClock, pid: int, command: str, *, container_id: str | None = None
) -> ProcessReading:
    return ProcessReading(
        pid=pid,
        parent_pid=1,
        name="caddy",
        command=tuple(command.split()),
        user="caddy",
        state="sleeping",
        cpu_s=0,
        memory_bytes=0,
        threads=1,
        started_at=clock(),
        is_kernel=False,
        container_id=container_id,
    )


def servers(*names: str) -> JsonValue:
    made: dict[str, JsonValue] = {name: {"routes": [{"handle": []}]} for name in names}
    return {"apps": {"http": {"servers": made}}}


@pytest.mark.parametrize(
    ("command", "survives"),
    [
        ("/usr/bin/caddy run --environ --config /etc/caddy/Caddyfile", False),
        ("caddy run", False),
        ("caddy run --config /etc/caddy/Caddyfile --resume", True),
        ("/usr/bin/caddy run --resume=true", True),
    ],
)
async def test_how_caddy_was_started_tells_whether_it_remembers(
    machine: SetMachine, memory: RestartMemory, clock: HandClock, command: str, *, survives: bool
) -> None:
    machine.running = [process(clock, 3, "caddy run --resume"), process(clock, 7, command)]
    found = await memory.judge(SeenCaddy(SOCKET), OWN, {})
    assert found.survives is survives
    assert (found.warning is None) is survives


async def test_of_several_that_could_be_it_none_is_believed(
    machine: SetMachine, memory: RestartMemory, clock: HandClock
) -> None:
    machine.running = [process(clock, 3, "caddy run"), process(clock, 4, "caddy run --resume")]
    caddy = SeenCaddy(SOCKET)
    caddy.pid = None
    assert (await memory.judge(caddy, OWN, servers("main"))).survives is None
    machine.running = machine.running[:1]
    memory.forget()
    assert (await memory.judge(caddy, OWN, servers("main"))).survives is False


@pytest.mark.parametrize(
    ("document", "warned"),
    [
        (servers("srv0", "srv1"), True),
        (servers("srv0", "main"), False),
        (servers(), False),
        (None, False),
    ],
)
async def test_where_it_cannot_be_known_a_caddyfile_is_guessed_and_said(
    memory: RestartMemory, document: JsonValue, *, warned: bool
) -> None:
    found = await memory.judge(DemoCaddy("http://192.0.2.10:2019"), OWN, document)
    assert found.survives is None
    assert (found.warning is not None) is warned


async def test_a_caddy_that_keeps_nothing_and_one_of_the_agents_own_are_known(
    memory: RestartMemory,
) -> None:
    forgets: JsonValue = {"admin": {"config": {"persist": False}}}
    assert (await memory.judge(DemoCaddy(SOCKET), OWN, forgets)).survives is False
    managed = OWN.model_copy(update={"mode": ProxyMode.MANAGED})
    assert (await memory.judge(DemoCaddy(SOCKET), managed, {})).survives is True


async def test_a_caddy_whose_port_is_not_listed_yet_is_found_later_among_several(
    machine: SetMachine, memory: RestartMemory, resources: Resources, clock: HandClock
) -> None:
    machine.running = [process(clock, 3, "caddy run --resume"), process(clock, 7, "caddy run")]
    caddy = DemoCaddy("http://127.0.0.1:2019")
    assert (await memory.judge(caddy, OWN, {})).survives is None
    port = ListeningPort(
        key="tcp-127.0.0.1-2019",
        transport=Transport.TCP,
        address="127.0.0.1",
        port=2019,
        reach=Reach.MACHINE,
        pid=7,
        since=clock(),
    )
    resources.publish(LISTENING_PORT_KIND, port.key, port)
    assert (await memory.judge(caddy, OWN, {})).survives is False


async def test_a_caddy_whose_container_was_made_anew_is_found_in_the_new_one(
    machine: SetMachine, resources: Resources, clock: HandClock
) -> None:
    known = {"old": container("caddy")}
    memory = RestartMemory(machine, known.get, resources)
    machine.running = [process(clock, 7, "caddy run", container_id="old")]
    assert (await memory.judge(SeenCaddy(SOCKET), OWN, {})).container == "caddy"
    known["new"] = known.pop("old")
    machine.running = [process(clock, 7, "caddy run", container_id="new")]
    assert (await memory.judge(SeenCaddy(SOCKET), OWN, {})).container == "caddy"
