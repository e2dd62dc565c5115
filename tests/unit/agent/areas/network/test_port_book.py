"""News of ports: each is told once, and no restart, reboot or recreate makes any."""

from ipaddress import ip_address

import pytest

from homelab_agent.areas.network.models import (
    LISTENING_PORT_KIND,
    PORT_EVENT_KIND,
    ListeningPort,
    PortEvent,
    PortEventType,
    Reach,
)
from homelab_agent.areas.network.port_book import (
    BOOTS_WITHIN_S,
    COMES_BACK_WITHIN_S,
    MOST_PORTS,
    MOST_TOLD,
    SETTLES_WITHIN_S,
    PortBook,
)
from homelab_agent.areas.network.port_store import KnownPorts
from homelab_agent.areas.network.reach import port_key
from homelab_agent.areas.network.seen_ports import SeenPort
from homelab_agent.platform.host.network import Transport
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock
from tests.fakes.network_files import ANYWHERE

SWEEP_S = 15.0
OWN = (ip_address("127.0.0.1"), ip_address("192.168.1.10"))


def port(
    number: int,
    *,
    address: str = ANYWHERE,
    process: str | None = None,
    container: str | None = None,
) -> SeenPort:
    return SeenPort(
        transport=Transport.TCP,
        address=ip_address(address),
        port=number,
        process=process,
        container=container,
    )


SSH, WEB = port(22, process="sshd"), port(8080, container="cloud:web:1")


class Machine:
    """A machine whose ports a test opens and closes, while both clocks go on."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.clock = clock
        self.now_s = 1000.0
        self.is_recreating = False
        self._store = store
        self._listening: dict[str, SeenPort] = {}

    async def start_agent(self, *, view: str = "host") -> None:
        """Let the agent start, and look for the first time."""
        self.resources = Resources()
        known = KnownPorts(self._store, self.clock)
        self.book = PortBook(
            self.resources, known, self.clock, lambda: self.is_recreating, view=view
        )
        self._told = 0
        await self.book.load(self.now_s)
        await self._look()

    async def settled(self, *ports: SeenPort) -> None:
        """Have these ports, known for so long that nothing of it is news."""
        self.have(*ports)
        await self.start_agent()
        await self.wait(SETTLES_WITHIN_S + SWEEP_S)
        assert self.news() == []

    def have(self, *ports: SeenPort) -> None:
        """Listen on these ports and on no others."""
        self._listening = {port_key(p.transport, p.address, p.port): p for p in ports}

    async def wait(self, seconds: float = SWEEP_S) -> None:
        """Let time pass, and the agent look every few seconds."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += SWEEP_S
            self.clock.advance(seconds=SWEEP_S)
            await self._look()

    def news(self) -> list[tuple[PortEventType, int]]:
        """Return what was told since the last time, by the number of the port."""
        events = self.events()
        new = [each for each in events if each.number > self._told]
        self._told = max((each.number for each in events), default=self._told)
        return [(each.type, each.port) for each in new]

    def events(self) -> list[PortEvent]:
        found = (self.resources.get(PORT_EVENT_KIND, key) for key in self._event_keys())
        events = [each for each in found if isinstance(each, PortEvent)]
        return sorted(events, key=lambda each: each.number)

    def shown(self) -> dict[int, ListeningPort]:
        keys = self.resources.keys(LISTENING_PORT_KIND)
        found = (self.resources.get(LISTENING_PORT_KIND, key) for key in keys)
        return {each.port: each for each in found if isinstance(each, ListeningPort)}

    async def _look(self) -> None:
        await self.book.take(self._listening, OWN, self.now_s)

    def _event_keys(self) -> tuple[str, ...]:
        return self.resources.keys(PORT_EVENT_KIND)


@pytest.fixture
def machine(store: Store, clock: HandClock) -> Machine:
    return Machine(store, clock)


OPENED, CLOSED = PortEventType.OPENED, PortEventType.CLOSED


async def test_what_was_there_at_the_first_start_ever_is_no_news(machine: Machine) -> None:
    machine.have(SSH)
    await machine.start_agent()
    # The agent's own door, and what else starts with the machine.
    machine.have(SSH, WEB)
    await machine.wait(SETTLES_WITHIN_S - SWEEP_S)
    assert machine.news() == []
    assert set(machine.shown()) == {22, 8080}


async def test_a_port_that_opens_is_told_at_once_and_only_once(machine: Machine) -> None:
    await machine.settled(SSH)
    machine.have(SSH, WEB)
    await machine.wait(SWEEP_S)
    assert machine.news() == [(OPENED, 8080)]
    await machine.wait(600)
    assert machine.news() == []
    (event,) = machine.events()
    assert (event.container, event.reach) == ("cloud:web:1", Reach.NETWORK)
    assert machine.shown()[8080].since == event.at


async def test_a_port_that_closes_vanishes_at_once_and_is_told_when_it_stays_away(
    machine: Machine,
) -> None:
    await machine.settled(SSH, WEB)
    machine.have(SSH)
    await machine.wait(SWEEP_S)
    closed_at = machine.clock.now
    assert set(machine.shown()) == {22}
    assert machine.news() == []
    await machine.wait(COMES_BACK_WITHIN_S)
    assert machine.news() == [(CLOSED, 8080)]
    assert machine.events()[0].at == closed_at
    await machine.wait(600)
    assert machine.events() == []


async def test_a_restart_of_a_service_is_no_news(machine: Machine) -> None:
    await machine.settled(SSH)
    since = machine.shown()[22].since
    machine.have()
    await machine.wait(COMES_BACK_WITHIN_S - SWEEP_S)
    machine.have(SSH)
    await machine.wait(300)
    assert machine.news() == []
    assert machine.shown()[22].since == since


async def test_a_recreate_of_a_container_is_no_news_however_long_it_takes(
    machine: Machine,
) -> None:
    await machine.settled(WEB)
    machine.is_recreating = True
    machine.have()
    await machine.wait(20 * 60)
    machine.have(WEB)
    machine.is_recreating = False
    await machine.wait(300)
    assert machine.news() == []


async def test_a_recreate_of_one_container_does_not_hide_that_a_service_stopped(
    machine: Machine,
) -> None:
    await machine.settled(SSH, WEB)
    machine.is_recreating = True
    machine.have()
    await machine.wait(COMES_BACK_WITHIN_S + SWEEP_S)
    assert machine.news() == [(CLOSED, 22)]


async def test_somebody_else_on_the_same_port_is_news(machine: Machine) -> None:
    await machine.settled(SSH, WEB)
    machine.have(port(22, process="nc"), port(8080, container="other"))
    await machine.wait(SWEEP_S)
    assert machine.news() == [(OPENED, 22), (OPENED, 8080)]


async def test_an_owner_that_cannot_be_seen_for_a_moment_is_no_news_and_stays_known(
    machine: Machine,
) -> None:
    await machine.settled(SSH, WEB)
    machine.have(port(22), port(8080))
    await machine.wait(SWEEP_S)
    assert machine.shown()[22].process == "sshd"
    assert machine.shown()[8080].container == "cloud:web:1"
    machine.have(SSH, WEB)
    await machine.wait(SWEEP_S)
    assert machine.news() == []


async def test_a_restart_of_the_agent_tells_nothing_again_and_keeps_since(
    machine: Machine,
) -> None:
    await machine.settled(SSH)
    machine.have(SSH, WEB)
    await machine.wait(SWEEP_S)
    since = {number: each.since for number, each in machine.shown().items()}
    machine.clock.advance(hours=5)
    await machine.start_agent()
    await machine.wait(BOOTS_WITHIN_S * 2)
    assert machine.events() == []
    assert {number: each.since for number, each in machine.shown().items()} == since


async def test_what_opened_while_the_agent_was_away_is_told(machine: Machine) -> None:
    await machine.settled(SSH)
    machine.have(SSH, WEB)
    await machine.start_agent()
    assert machine.news() == [(OPENED, 8080)]


async def test_a_reboot_is_no_news_while_the_services_come_up_one_by_one(
    machine: Machine,
) -> None:
    await machine.settled(SSH, WEB)
    machine.have()
    await machine.start_agent()
    await machine.wait(BOOTS_WITHIN_S / 2)
    machine.have(SSH)
    await machine.wait(BOOTS_WITHIN_S / 2 + SWEEP_S)
    # One of them did not come back.
    assert machine.news() == [(CLOSED, 8080)]


async def test_seeing_the_machine_instead_of_the_container_is_not_fifty_news(
    machine: Machine,
) -> None:
    machine.have(port(8099, process="homelab-agent"))
    await machine.start_agent(view="container")
    await machine.wait(SETTLES_WITHIN_S * 2)
    machine.have(*(port(number, process="svc") for number in range(1000, 1050)))
    await machine.start_agent(view="host")
    await machine.wait(SETTLES_WITHIN_S + BOOTS_WITHIN_S)
    assert machine.events() == []
    assert len(machine.shown()) == 50
    await machine.start_agent(view="host")
    assert machine.events() == []


async def test_a_flapping_port_is_told_at_most_once_a_minute(machine: Machine) -> None:
    await machine.settled(SSH)
    seen = []
    for _ in range(20):
        machine.have(SSH, WEB)
        await machine.wait(SWEEP_S)
        seen += machine.news()
        machine.have(SSH)
        await machine.wait(SWEEP_S)
        seen += machine.news()
    assert seen == [(OPENED, 8080)]


@pytest.mark.parametrize("step", [{"hours": -1}, {"days": 1}])
async def test_a_step_of_the_clock_opens_and_closes_nothing(
    machine: Machine, step: dict[str, float]
) -> None:
    await machine.settled(SSH, WEB)
    machine.have(SSH)
    await machine.wait(SWEEP_S)
    machine.clock.advance(**step)
    machine.have(SSH, WEB)
    await machine.wait(300)
    assert machine.news() == []


async def test_thousands_of_ports_are_counted_but_not_all_shown_or_told(machine: Machine) -> None:
    await machine.settled(SSH)
    many = [port(number, container="ftp") for number in range(10_000, 10_000 + MOST_PORTS + 500)]
    machine.have(SSH, *many)
    await machine.wait(SWEEP_S)
    assert machine.book.total == MOST_PORTS + 501
    assert len(machine.shown()) == MOST_PORTS
    assert 22 in machine.shown()
    assert len(machine.events()) == MOST_TOLD
    # Those that are shown stay, whatever else opens.
    shown = set(machine.shown())
    machine.have(SSH, *many, *(port(number, container="ftp") for number in range(100, 600)))
    await machine.wait(60)
    assert set(machine.shown()) == shown


async def test_only_what_others_can_get_to_counts_as_exposed(machine: Machine) -> None:
    await machine.settled(SSH, port(631, address="127.0.0.1", process="cupsd"))
    assert (machine.book.total, machine.book.exposed) == (2, 1)
