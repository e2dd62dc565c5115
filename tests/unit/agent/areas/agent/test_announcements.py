import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from homelab_agent.areas.agent.announce_mdns import (
    SERVICE_TYPE,
    MdnsAnnouncement,
    addresses_to_announce,
    only_virtual_cables,
)
from homelab_agent.areas.agent.announce_supervisor import TOKEN_FILE, SupervisorAnnouncement
from homelab_agent.areas.agent.service import AgentService
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.tokens import Tokens
from tests.unit.agent.areas.agent.conftest import SayEngine


class Supervisor:
    """A small Supervisor that answers what a test tells it to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str | None, dict[str, object]]] = []
        self.statuses = [200]
        self.url = ""

    async def discovery(self, request: web.Request) -> web.Response:
        self.heard.append((request.headers.get("Authorization"), await request.json()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.json_response({"result": "ok", "data": {"uuid": "1"}}, status=status)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    application = web.Application()
    application.router.add_post("/discovery", supervisor.discovery)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    supervisor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield supervisor
    await runner.cleanup()


def announce(
    supervisor: Supervisor, tokens: Tokens, data_dir: Path, fingerprint: str | None
) -> SupervisorAnnouncement:
    return SupervisorAnnouncement(
        tokens,
        SecretFilter(),
        data_dir,
        supervisor_token="of the supervisor",
        fingerprint=fingerprint,
        url=supervisor.url,
        delays_s=(0.01,),
    )


@pytest.fixture
def announcement(supervisor: Supervisor, tokens: Tokens, tmp_path: Path) -> SupervisorAnnouncement:
    return announce(supervisor, tokens, tmp_path, None)


def told(supervisor: Supervisor, index: int = -1) -> dict[str, object]:
    config = supervisor.heard[index][1]["config"]
    assert isinstance(config, dict)
    return config


async def test_home_assistant_is_handed_address_and_a_token_that_works(
    announcement: SupervisorAnnouncement, supervisor: Supervisor, tokens: Tokens
) -> None:
    await announcement.run("the-app", 8099, "the instance")
    authorization, message = supervisor.heard[0]
    assert authorization == "Bearer of the supervisor"
    assert message["service"] == "homelab"
    config = told(supervisor)
    assert (config["host"], config["port"]) == ("the-app", 8099)
    assert config["instance_id"] == "the instance"
    caller = await tokens.verify(str(config["token"]))
    assert caller is not None
    assert (caller.name, caller.scope) == ("home-assistant", Scope.OPERATE)


async def test_home_assistant_is_told_to_speak_tls_and_with_whom(
    supervisor: Supervisor, tokens: Tokens, tmp_path: Path
) -> None:
    await announce(supervisor, tokens, tmp_path, None).run("the-app", 8099, "the instance")
    await announce(supervisor, tokens, tmp_path, "ab" * 32).run("the-app", 8099, "the instance")
    plain, secured = told(supervisor, 0), told(supervisor, 1)
    assert (plain["ssl"], plain["fingerprint"]) == (False, None)
    assert (secured["ssl"], secured["fingerprint"]) == (True, "ab" * 32)
    # The integration reads exactly these.
    assert set(secured) == {"host", "port", "ssl", "fingerprint", "token", "instance_id"}


async def test_a_restart_does_not_turn_home_assistant_out(
    announcement: SupervisorAnnouncement, supervisor: Supervisor, tmp_path: Path
) -> None:
    await announcement.run("the-app", 8099, "the instance")
    await announcement.run("the-app", 8099, "the instance")
    assert told(supervisor, 0) == told(supervisor, 1)
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600


async def test_a_token_that_was_revoked_is_replaced(
    announcement: SupervisorAnnouncement, supervisor: Supervisor, tokens: Tokens, tmp_path: Path
) -> None:
    await announcement.run("the-app", 8099, "the instance")
    await tokens.revoke("home-assistant")
    await announcement.run("the-app", 8099, "the instance")
    assert told(supervisor, 0)["token"] != told(supervisor, 1)["token"]
    (tmp_path / TOKEN_FILE).write_bytes(b"\xff")
    await announcement.run("the-app", 8099, "the instance")
    assert await tokens.verify(str(told(supervisor)["token"]))


async def test_a_supervisor_that_is_not_ready_is_asked_again(
    announcement: SupervisorAnnouncement, supervisor: Supervisor
) -> None:
    supervisor.statuses = [503, 403, 200]
    async with asyncio.timeout(30):
        await announcement.run("the-app", 8099, "the instance")
    assert len(supervisor.heard) == 3


class Network:
    """Listens for agents on the loopback interface."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self._zeroconf = zeroconf
        self._changed = asyncio.Event()
        self.states: list[ServiceStateChange] = []
        self.browser = AsyncServiceBrowser(
            zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._on_change]
        )

    def _on_change(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002  # zeroconf passes all by name
        service_type: str,  # noqa: ARG002
        name: str,  # noqa: ARG002
        state_change: ServiceStateChange,
    ) -> None:
        self.states.append(state_change)
        self._changed.set()

    async def until(self, state: ServiceStateChange) -> None:
        async with asyncio.timeout(15):
            while state not in self.states:
                self._changed.clear()
                await self._changed.wait()

    async def properties(self) -> dict[str, str]:
        info = await self._zeroconf.async_get_service_info(
            SERVICE_TYPE, f"homelab-1234567890ab.{SERVICE_TYPE}"
        )
        assert info is not None
        assert info.parsed_addresses() == ["127.0.0.1"]
        assert info.port == 8099
        return {key: value or "" for key, value in info.decoded_properties.items()}


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf:
        yield Network(zeroconf)


async def test_home_assistant_finds_the_agent_in_the_network_and_its_new_name(
    service: AgentService, resources: Resources, network: Network, say_engine: SayEngine
) -> None:
    announcement = MdnsAnnouncement(
        service, resources, fingerprint="ab" * 32, interfaces=["127.0.0.1"]
    )
    running = asyncio.ensure_future(announcement.run(["127.0.0.1"], 8099))
    await network.until(ServiceStateChange.Added)
    assert await network.properties() == {
        "instance_id": "1234567890abcdef",
        "version": "1.2.3",
        "name": "8f3b0c",
        "tls": "1",
        "fingerprint": "ab" * 32,
    }
    following = asyncio.ensure_future(service.follow_engine())
    say_engine(host_name="nas")
    await network.until(ServiceStateChange.Updated)
    assert (await network.properties())["name"] == "nas"
    following.cancel()
    running.cancel()
    await asyncio.wait((following, running))
    await network.until(ServiceStateChange.Removed)


# zeroconf leaves the socket it could not use to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_network_without_multicast_is_tried_again(
    service: AgentService, resources: Resources, capfd: pytest.CaptureFixture[str]
) -> None:
    announcement = MdnsAnnouncement(
        service, resources, fingerprint=None, interfaces=["192.0.2.1"], retry_s=0.01
    )
    running = asyncio.ensure_future(announcement.run(["192.0.2.1"], 8099))
    said = ""
    async with asyncio.timeout(10):
        while said.count("mdns_failed") < 2:
            await asyncio.sleep(0.01)
            said += "".join(capfd.readouterr())
    running.cancel()
    await asyncio.wait((running,))


def test_what_only_this_machine_reaches_is_not_announced() -> None:
    assert addresses_to_announce("127.0.0.1") == ()
    assert addresses_to_announce("::1") == ()
    assert addresses_to_announce("some-name") == ()
    assert addresses_to_announce("192.0.2.7") == ("192.0.2.7",)
    for everywhere in ("0.0.0.0", "::"):  # noqa: S104  # the setting's default
        for address in addresses_to_announce(everywhere):
            assert not ip_address(address).is_unspecified
            assert not ip_address(address).is_loopback


@pytest.mark.parametrize(
    ("interfaces", "private"),
    [
        # name, own number, number of the other end, kind
        ([("lo", 1, 1, ""), ("eth0", 2, 388, "")], True),
        ([("lo", 1, 1, ""), ("eth0", 2, 388, ""), ("eth1", 3, 390, ""), ("sit0", 4, 0, "")], True),
        ([("lo", 1, 1, ""), ("eth0", 2, 2, "")], False),
        ([("lo", 1, 1, ""), ("docker0", 3, 3, "bridge"), ("veth1", 9, 8, "")], False),
        ([("lo", 1, 1, ""), ("eth0", 2, 7, "macvlan")], False),
        ([("lo", 1, 1, "")], False),
        ([], False),
    ],
    ids=["bridge", "two bridges", "machine", "host network", "macvlan", "none", "unknown"],
)
def test_a_container_does_not_announce_an_address_that_nobody_outside_can_reach(
    tmp_path: Path, interfaces: list[tuple[str, int, int, str]], *, private: bool
) -> None:
    for name, index, other_end, kind in interfaces:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "ifindex").write_text(f"{index}\n")
        (folder / "iflink").write_text(f"{other_end}\n")
        devtype = f"DEVTYPE={kind}\n" if kind else ""
        (folder / "uevent").write_text(f"{devtype}INTERFACE={name}\nIFINDEX={index}\n")
    assert only_virtual_cables(tmp_path) is private


def test_what_is_no_interface_does_not_keep_the_agent_from_being_found(tmp_path: Path) -> None:
    (tmp_path / "bonding_masters").write_text("")
    assert only_virtual_cables(tmp_path) is False
