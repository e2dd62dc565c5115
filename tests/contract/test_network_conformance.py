"""What the agent relies on of every machine's network: the demo's, one in files, the real one."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from homelab_agent.platform.host.demo_network import DemoNetwork
from homelab_agent.platform.host.linux_network import LinuxNetwork
from homelab_agent.platform.host.network import (
    CONNECTION_STATES,
    InterfaceType,
    MachineNetwork,
    Transport,
)
from homelab_agent.platform.host.paths import find_paths
from tests.fakes.network_files import ANYWHERE, Link, NetworkFiles


def demo(_folder: Path) -> MachineNetwork:
    return DemoNetwork()


def in_files(folder: Path) -> MachineNetwork:
    files = NetworkFiles(folder)
    files.write_links(Link("lo", 1, files={"type": "772"}), Link("eth0", 2, received=10, sent=20))
    files.write_sockets(
        "tcp", (ANYWHERE, 22, ANYWHERE, 0, 10, 5), ("10.0.0.1", 22, "10.0.0.2", 5, 1, 6)
    )
    files.write_process(9, "sshd", 5, 6)
    return LinuxNetwork(files.paths)


def real(_folder: Path) -> MachineNetwork:
    return LinuxNetwork(find_paths())


@pytest.fixture(params=[demo, in_files, real])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> MachineNetwork:
    make: Callable[[Path], MachineNetwork] = request.param
    return make(tmp_path / "machine")


async def test_interfaces_have_names_of_their_own_and_one_is_the_loopback(
    network: MachineNetwork,
) -> None:
    interfaces = (await network.look()).interfaces
    names = [each.name for each in interfaces]
    assert len(names) == len(set(names)) > 0
    assert [each.name for each in interfaces if each.type is InterfaceType.LOOPBACK] == ["lo"]


async def test_the_way_out_is_through_an_interface_that_is_shown(network: MachineNetwork) -> None:
    view = await network.look()
    names = {each.name for each in view.interfaces}
    for route in (view.route_ipv4, view.route_ipv6):
        assert route is None or route.interface in names


async def test_counters_never_fall_and_keep_their_epoch(network: MachineNetwork) -> None:
    names = [each.name for each in (await network.look()).interfaces]
    first, second = await network.traffic(names), await network.traffic(names)
    assert second.taken_s >= first.taken_s
    for name, before in first.counts.items():
        after = second.counts[name]
        assert after.epoch == before.epoch
        assert after.receive_bytes >= before.receive_bytes >= 0
        assert after.transmit_bytes >= before.transmit_bytes >= 0
    assert (await network.traffic(("no-such-interface",))).counts == {}


async def test_owners_are_known_only_for_sockets_that_were_asked_for(
    network: MachineNetwork,
) -> None:
    inodes = {each.inode for each in await network.listening()} - {0}
    owners = await network.owners(inodes)
    assert owners.keys() <= inodes
    assert all(owner.process and owner.pid > 0 for owner in owners.values())
    assert await network.owners(()) == {}


async def test_connections_have_a_peer_and_a_state_with_a_name(network: MachineNetwork) -> None:
    for connection in await network.connections():
        assert connection.state in CONNECTION_STATES
        assert connection.state != "LISTEN"
        assert connection.remote_port or connection.transport is Transport.TCP


async def test_counts_of_sockets_are_no_less_than_nothing(network: MachineNetwork) -> None:
    counts = await network.count_sockets()
    assert counts.listening >= 0
    assert counts.established >= 0
    assert counts.udp >= 0


async def test_neighbours_are_on_interfaces_by_name(network: MachineNetwork) -> None:
    for neighbour in await network.neighbours():
        assert neighbour.interface
        assert neighbour.state in {
            "INCOMPLETE",
            "REACHABLE",
            "STALE",
            "DELAY",
            "PROBE",
            "FAILED",
            "PERMANENT",
        }


async def test_addresses_read_out_of_files_are_those_that_the_kernel_itself_tells() -> None:
    paths = await asyncio.to_thread(find_paths)
    asked = {each.name: each for each in (await LinuxNetwork(paths).look()).interfaces}
    from_outside = replace(paths, has_own_network=True)
    read = {each.name: each for each in (await LinuxNetwork(from_outside).look()).interfaces}
    for name, interface in asked.items():
        assert set(read[name].addresses) == set(interface.addresses)
