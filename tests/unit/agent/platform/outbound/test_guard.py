"""Where the agent must not be sent, in every spelling."""

import asyncio
import socket

import pytest

from homelab_agent.platform.outbound.connections import Outbound, open_outbound
from homelab_agent.platform.outbound.guard import GuardedAddress
from homelab_agent.platform.settings import Settings


@pytest.fixture
def outbound() -> Outbound:
    return open_outbound(Settings())


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",  # the same in decimal
        "0xA9FEA9FE",
        "0251.0376.0251.0376",
        "169.254.43518",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "169.254.170.2",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%lo",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",  # noqa: S104  # not to listen at
        "0",
        "::",
        "255.255.255.255",
    ],
)
async def test_no_spelling_of_a_special_address_is_connected_to(
    outbound: Outbound, host: str
) -> None:
    with pytest.raises(GuardedAddress) as refused:
        await outbound.connect(host, 80, timeout_s=5, allow_guarded=False)
    assert refused.value.hint


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "10.0.0.1", "127.0.0.1", "::1", "fd12::1", "2001:db8::1", "100.64.0.1"]
)
async def test_addresses_of_a_home_are_allowed(outbound: Outbound, host: str) -> None:
    assert await outbound.targets(host, 80, allow_guarded=False)


async def test_an_admin_may_allow_it(outbound: Outbound) -> None:
    (target,) = await outbound.targets("169.254.169.254", 80, allow_guarded=True)
    assert target.address == "169.254.169.254"


@pytest.mark.parametrize("listen", ["0.0.0.0", "127.0.0.1", "::"])  # noqa: S104  # the API does
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::ffff:127.0.0.1"])
async def test_the_agents_own_api_is_not_reached_by_any_local_address(
    outbound: Outbound, listen: str, host: str
) -> None:
    outbound.guard.keep("the API of the agent itself", listen, 8099)
    with pytest.raises(GuardedAddress, match="API of the agent"):
        await outbound.targets(host, 8099, allow_guarded=False)
    assert await outbound.targets(host, 8098, allow_guarded=False)


async def test_the_same_port_of_another_machine_is_not_ours(outbound: Outbound) -> None:
    outbound.guard.keep("the API of the agent itself", "127.0.0.1", 8099)
    assert await outbound.targets("192.0.2.7", 8099, allow_guarded=False)


async def test_docker_over_tcp_is_not_reached() -> None:
    outbound = open_outbound(Settings(docker_url="tcp://localhost:2375"))
    with pytest.raises(GuardedAddress, match="Docker"):
        await outbound.targets("127.0.0.1", 2375, allow_guarded=False)
    assert await outbound.targets("192.0.2.7", 2375, allow_guarded=False)


async def test_a_connection_is_made_and_its_data_arrive(outbound: Outbound) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await outbound.open("localhost", port, timeout_s=5, allow_guarded=False)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


async def test_a_host_that_swallows_packets_costs_no_more_than_was_said(
    outbound: Outbound,
) -> None:
    # A backlog that is full: the kernel drops what comes, as a firewall does.
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        clients = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            clients.append(client)
        with pytest.raises(TimeoutError, match="to answer at all"):
            await outbound.connect("127.0.0.1", port, timeout_s=0.3, allow_guarded=False)
        for client in clients:
            client.close()


async def test_names_that_no_host_can_have_are_refused_in_words(outbound: Outbound) -> None:
    for host in ("a\0b", "no-such-host.invalid", "a" * 64 + ".example", "ü" * 64, "..", "☃.test\0"):
        with pytest.raises(socket.gaierror):
            await outbound.targets(host, 80, allow_guarded=False)


async def test_a_host_without_the_family_asked_for_is_told_so(outbound: Outbound) -> None:
    with pytest.raises(socket.gaierror):
        await outbound.targets("127.0.0.1", 80, allow_guarded=False, family=socket.AF_INET6)
    with pytest.raises(socket.gaierror):
        await outbound.targets("::1", 80, allow_guarded=False, family=socket.AF_INET)
