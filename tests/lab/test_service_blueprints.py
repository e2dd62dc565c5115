"""The blueprints of services, certificates, disks and ports, in a real Home Assistant.

Each is imported as a person does it, and run by really breaking the thing.
"""

import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.fakes.tls_servers.authority import self_signed
from tests.fakes.tls_servers.server import tls_server
from tests.harness.agent import Agent
from tests.harness.docker import Docker
from tests.harness.home_assistant import HomeAssistant
from tests.harness.processes import LoggedProcess, clean_environment
from tests.harness.waiting import wait_until
from tests.lab import blueprints
from tests.lab.blueprints import TOLD_WITHIN_S
from tests.lab.network import PrivateNetwork, run
from tests.lab.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

PUBLIC_ADDRESS = "8.8.4.4"
"""Nobody's but the namespace's: it has no way out."""
DAY_S = 86400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Docker, Home Assistant, and an agent that looks often."""
    folder: Path = tmp_path_factory.mktemp("services")
    async with AsyncExitStack() as stack:
        docker = await stack.enter_async_context(Docker())
        network = await stack.enter_async_context(PrivateNetwork())
        await run(*network.prefix, "ip", "addr", "add", f"{PUBLIC_ADDRESS}/32", "dev", "lo")
        agent = await stack.enter_async_context(
            Agent(
                folder / "agent",
                listen=f"{network.inner_address}:8099",
                prefix=network.prefix,
                settings={
                    "HOMELAB_NAME": "Lab",
                    "HOMELAB_PORT_INTERVAL_S": "2",
                    "HOMELAB_FILESYSTEM_INTERVAL_S": "5",
                    "HOMELAB_PUBLIC_ADDRESS_INTERVAL_S": "0",
                },
            )
        )
        home = await stack.enter_async_context(HomeAssistant(folder / "home-assistant"))
        token = await agent.create_token("home-assistant", "admin")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        yield World(docker, agent, home, network, health["instance_id"])


async def use(world: World, blueprint: str, inputs: Mapping[str, object]) -> None:
    """Import a blueprint and make an automation of it."""
    await blueprints.use(world.home, blueprint, inputs)


async def told(world: World, title: str) -> str:
    """Wait for a notification with a title; return its message."""
    return await blueprints.told(world.home, title)


async def host(world: World) -> dict[str, object]:
    return {"device_id": [await world.host_device_id()]}


async def ask(world: World, action: str, **data: object) -> Any:
    return await world.home.api.action("homelab", action, data, response=True)


async def is_up(world: World, name: str) -> None:
    """Wait until the service of a monitor is up."""

    async def look() -> bool:
        (at,) = (await ask(world, "monitor_report"))["hosts"]
        return any(one["name"] == name and one["state"] == "up" for one in at["optional"])

    await wait_until(look, what=f"{name} to be up", within_s=TOLD_WITHIN_S)


ALERT = {"down_for": {"seconds": 0}, "quiet_from": "12:00:00", "quiet_until": "12:00:00"}


async def test_a_watched_container_that_is_stopped_is_told_and_its_start_too(world: World) -> None:
    name = f"svc-{uuid4().hex[:8]}"
    container = await world.docker.create(name, command=("sleep", "600"))
    await world.entity(name, "state")
    await use(world, "monitor_down_alert", {"monitors": await host(world), **ALERT})
    device_id = await world.device_id(name)
    added = await ask(
        world,
        "add_monitor",
        device_id=device_id,
        name=name,
        type="container",
        interval=5,
        retries=0,
        confirm_down=1,
    )
    assert added["settings"]["container"] == name
    await is_up(world, name)
    await world.docker.stop(container)
    message = await told(world, f"{name} is down")
    assert message.startswith(f"{name} on Lab: ")
    await world.docker.start(container)
    message = await told(world, f"{name} is up again")
    assert message.startswith(f"{name} on Lab was down for")
    removed = await ask(world, "remove_monitor", device_id=device_id)
    assert removed["monitors"][0]["outcome"] == "done"


async def test_a_page_that_nobody_serves_any_more_is_told(world: World, tmp_path: Path) -> None:
    name, address = f"page-{uuid4().hex[:8]}", world.network.inner_address
    command = [*world.network.prefix, "python3", "-m", "http.server", "8200", "--bind", address]
    server = LoggedProcess(command, log=tmp_path / "log", environment=clean_environment())
    await server.start()
    await use(world, "monitor_down_alert", {"monitors": await host(world), **ALERT})
    await ask(
        world,
        "add_monitor",
        device_id=await world.host_device_id(),
        name=name,
        type="http",
        url=f"http://{address}:8200/",
        interval=5,
        retries=0,
        confirm_down=2,
    )
    await is_up(world, name)
    await server.kill()
    message = await told(world, f"{name} is down")
    assert "refused" in message.lower()
    (checked,) = (await ask(world, "check_monitor", monitor=name))["monitors"]
    assert checked["result"]["ok"] is False
    (report,) = (await ask(world, "monitor_report", format="markdown"))["hosts"]
    assert name in report["text"]
    await ask(world, "remove_monitor", monitor=name)


async def test_a_certificate_that_ends_in_five_days_is_told(world: World, tmp_path: Path) -> None:
    address = world.network.outer_address
    await use(world, "certificate_ladder", {"certificates": await host(world), "first": "7"})
    async with tls_server(self_signed(address, days=5.5), tmp_path, host=address) as server:
        place = {"device_id": await world.host_device_id(), "host": address, "port": server.port}
        read = await ask(world, "read_certificate", **place)
        assert (read["verdict"], read["days_left"]) == ("self_signed", 5)
        watched = await ask(world, "watch_certificate", **place, name="Short")
        (certificate,) = watched["certificates"]
        assert certificate["stage"] == "days_7"
        message = await told(world, "The certificate of Short ends in 5 days")
        assert "was not renewed so far" in message
        forgotten = await ask(world, "unwatch_certificate", certificate="Short")
        assert forgotten["certificates"][0]["outcome"] == "done"


async def test_a_port_opened_at_a_public_address_is_told(world: World, tmp_path: Path) -> None:
    await use(world, "new_port_warning", {"hosts": await host(world), "reach": "public"})
    token = await world.agent.create_token(f"looks-{uuid4().hex[:8]}")

    async def ports_are_known() -> bool:
        return bool((await world.agent.get("/api/v1/network/ports", token))["ports"])

    # A machine that is seen for the first time has no news for a while.
    await wait_until(ports_are_known, what="the ports", within_s=TOLD_WITHIN_S)
    await world.agent.stop()
    await world.agent.start()
    await world.shows(await world.host_entity("docker"), "on")
    await wait_until(ports_are_known, what="the ports", within_s=TOLD_WITHIN_S)
    prefix = world.network.prefix
    command = [*prefix, "python3", "-m", "http.server", "8300", "--bind", PUBLIC_ADDRESS]
    server = LoggedProcess(command, log=tmp_path / "log", environment=clean_environment())
    await server.start()
    try:
        message = await told(world, "Port 8300 of Lab is open")
        assert f"listens at {PUBLIC_ADDRESS} port 8300 (tcp)" in message
        assert "everybody on the internet" in message
        (at,) = (await ask(world, "list_ports", reach="public"))["hosts"]
        assert [one["port"] for one in at["ports"]] == [8300]
    finally:
        await server.kill()


def write_history(agent: Agent, disk: Mapping[str, Any], days_left: float) -> None:
    """Let an agent that is stopped remember ten days in which a disk has been filling."""
    now_s, left = int(time.time()), disk["available_bytes"]
    rows = []
    for hours in range(240, 0, -1):
        at_ms = (now_s - hours * 3600) * 1000
        rows.append((f"available:{disk['key']}", at_ms, left * (1 + hours / 24 / days_left)))
        if hours % 24 == 1:
            rows.append((f"size:{disk['key']}", at_ms, float(disk["size_bytes"])))
    with sqlite3.connect(agent.data_dir / "homelab.db") as connection:
        for series in ("available", "size"):
            connection.execute("delete from sample where series = ?", (f"{series}:{disk['key']}",))
        connection.executemany("insert into sample values (?, ?, ?)", rows)
    connection.close()


async def test_a_disk_that_fills_is_told_days_before(world: World) -> None:
    (at,) = (await ask(world, "host_report"))["hosts"]
    disk = next(one for one in at["filesystems"] if one["state"] == "ok" and one["available_bytes"])

    token = await world.agent.create_token(f"looks-{uuid4().hex[:8]}")

    async def forecast() -> dict[str, Any] | None:
        report = await world.agent.get("/api/v1/insight", token)
        return next((one for one in report["forecasts"] if one["key"] == disk["key"]), None)

    # The agent first looks ahead a minute after its start.
    await wait_until(forecast, what="a forecast", within_s=2 * TOLD_WITHIN_S)
    await use(world, "disk_filling", {"hosts": await host(world), "days": 7})
    await world.agent.stop()
    write_history(world.agent, disk, days_left=4)
    await world.agent.start()
    title = f"{disk['key']} on Lab will be full in about"
    message = await wait_until(
        lambda: begins(world, title), what="the message", within_s=2 * TOLD_WITHIN_S
    )
    assert "GB a day" in message
    foreseen = await forecast()
    assert foreseen is not None
    assert 3 < foreseen["days_until_full"] < 5


async def begins(world: World, title: str) -> str | None:
    """Return the message of a notification whose title begins so."""
    async with world.home.api.socket() as socket:
        shown = await socket.command("persistent_notification/get")
    return next((one["message"] for one in shown if one["title"].startswith(title)), None)
