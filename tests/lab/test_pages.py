"""What a person sees and presses: pages of Home Assistant in a real browser.

The README's pictures are of an invented homelab, which says of itself that it is invented.
"""

import re
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.harness.agent import Agent
from tests.harness.waiting import wait_until
from tests.lab.browser import MIDDLE, SIZE, TALL, TALLEST, WIDE, images, logged_in
from tests.lab.pages import device_id, held, open_device, picture, row, shows
from tests.lab.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

WEB_IMAGE = "homelab-lab/web"
CONTAINER = "paperless"
MORE_FACTS = (
    "memory_percent",
    "network_receive_rate",
    "network_transmit_rate",
    "processes",
    "event",
    "check_update",
    "started_at",
    "restart_count",
)
NOTHING_KNOWN = {None, "unknown", "unavailable"}
NOT_BEFORE_IT_HAPPENS = ("button.", "event.")
RIGHTLY_UNKNOWN = {
    # What is down does not answer, and in a maintenance window nobody says that it is down.
    "monitor:nextcloud:response_time",
    "monitor:qbittorrent:up",
    # Its registry does not say, and the entity says why.
    "edge:wireguard:1:update",
    # It is paused; nobody tells of it; its records are not there yet.
    *(
        f"domain:{name}:{key}"
        for name in ("xn--bro-hoa.home.example.org", "cloud.example.org", "wiki.home.example.org")
        for key in ("problem", "domain_address", "domain_certificate_expires_at")
    ),
}
DONE_WITHIN_S = 90


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A second host in the same Home Assistant: an invented one."""
    settings = {"HOMELAB_NAME": "Demo homelab", "HOMELAB_STATS_INTERVAL_S": "2"}
    async with Agent(tmp_path_factory.mktemp("demo"), demo=True, settings=settings) as agent:
        token = await agent.create_token("home-assistant")
        await world.home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        shown = World(world.docker, agent, world.home, world.network, health["instance_id"])
        await switch_on(shown, CONTAINER, MORE_FACTS)
        yield shown


async def switch_on(world: World, container: str, facts: Collection[str]) -> None:
    """Enable what is off for a new container, as a person does who wants to see it."""
    entity_ids = [await world.entity(container, fact) for fact in facts]
    async with world.home.api.socket() as socket:
        for entity_id in entity_ids:
            await socket.command(
                "config/entity_registry/update", entity_id=entity_id, disabled_by=None
            )


async def is_switched_on(world: World, container: str, facts: Collection[str]) -> None:
    """Wait until what was enabled is shown: Home Assistant loads it half a minute later."""
    entity_ids = {fact: await world.entity(container, fact) for fact in facts}

    async def all_known() -> bool:
        states = {
            each["entity_id"]: each["state"]
            for each in await world.home.api.call("GET", "/api/states")
        }
        figures = (entity_ids[fact] for fact in facts if fact not in {"event", "check_update"})
        return all(states.get(entity_id) not in NOTHING_KNOWN for entity_id in figures)

    await wait_until(all_known, what="the values of what was enabled", within_s=DONE_WITHIN_S)


async def put_into_area(world: World, container: str, area: str) -> None:
    """Put a container's device into a new area; dialogs show the area's name above its own."""
    device = await device_id(world, container)
    async with world.home.api.socket() as socket:
        made = await socket.command("config/area_registry/create", name=area)
        await socket.command(
            "config/device_registry/update", device_id=device, area_id=made["area_id"]
        )


async def test_a_person_finds_a_real_container_and_its_host(world: World, tmp_path: Path) -> None:
    await world.docker.create(
        "photos-web-1",
        image=WEB_IMAGE,
        command=(),
        labels={
            "com.docker.compose.project": "photos",
            "com.docker.compose.service": "web",
            "com.docker.compose.container-number": "1",
        },
        NetworkMode="bridge",
    )
    await world.shows(await world.entity("photos:web:1", "health"), "healthy")
    async with logged_in(world.home.url) as page:
        await open_device(world, page, "photos:web:1")
        await expect(page.get_by_text("(demo)")).to_have_count(0)
        await shows(page, {"State": "Running", "Health": "Healthy", "Memory": r"\d\.\d MiB"})
        await picture(page, tmp_path / "real-container.png")
        await open_device(world, page, "stack:photos")
        await shows(page, {"State": "Running", "Containers running": "1 containers"})
        await open_device(world, page)
        await expect(row(page, "simple", "Docker")).to_contain_text("Connected")
        await shows(page, {"Containers memory": r"\d\.\d GiB", "Docker version": r"\d+\.\d+"})
        await picture(page, tmp_path / "real-host.png")


async def states_of(world: World) -> dict[str, str]:
    """Return what all that is on by default shows, but for what has to happen first."""
    states = {
        each["entity_id"]: each["state"] for each in await world.home.api.call("GET", "/api/states")
    }
    return {
        entry["unique_id"].removeprefix(f"{world.instance_id}:"): states[entry["entity_id"]]
        for entry in await world.registry()
        if entry["unique_id"].startswith(world.instance_id)
        and entry["entity_id"] in states
        and not entry["entity_id"].startswith(NOT_BEFORE_IT_HAPPENS)
    }


async def test_nothing_of_the_demo_stays_unknown(demo: World) -> None:
    unknown: set[str] = set()

    async def all_known() -> bool:
        states = await states_of(demo)
        unknown.clear()
        for name, state in states.items():
            thing = name.rpartition(":")[0]
            runs = states.get(f"{thing}:state", "running") == "running"
            if state in NOTHING_KNOWN and runs and name not in RIGHTLY_UNKNOWN:
                unknown.add(name)
        return len(states) > len(RIGHTLY_UNKNOWN) and not unknown

    try:
        await wait_until(all_known, what="the demo to be known", within_s=DONE_WITHIN_S)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {sorted(unknown)}") from None


async def test_a_stack_is_described_on_its_page(demo: World, tmp_path: Path) -> None:
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(TALL)
        await open_device(demo, page, "stack:media")
        await expect(page.get_by_text("Compose stack (demo)")).to_be_visible()
        await shows(page, {"State": "Running", "Containers running": "4 containers"})
        await expect(page.get_by_text("media-jellyfin-1")).to_be_visible()
        await picture(page, images(tmp_path) / "stack.png")


async def test_a_host_is_described_with_its_machine_on_its_page(
    demo: World, tmp_path: Path
) -> None:
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(TALLEST)
        await open_device(demo, page)
        await expect(page.get_by_text("Demo Docker host")).to_be_visible()
        figures = {
            "Updates available": r"\d containers",
            "Containers CPU": r"\d\.\d%",
            "CPU": r"\d\.\d%",
            "Disk /mnt/media usage": r"\d\.\d%",
            "Disk /mnt/media full in": r"\dd",
            "Processor power": r"\d\.\d W",
            "Processor energy": r"\d\.\d+ kWh",
            "Public IPv4 address": r"\d+\.\d+\.\d+\.\d+",
            "Findings": r"\d findings",
        }
        await shows(page, figures)
        await expect(row(page, "simple", "Restart needed")).to_contain_text("Needed")
        await picture(page, images(tmp_path) / "host-device.png")


async def test_a_monitor_is_described_on_its_page(demo: World, tmp_path: Path) -> None:
    await demo.shows(await demo.entity("monitor:router", "up"), "on", within_s=DONE_WITHIN_S)
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(MIDDLE)
        await open_device(demo, page, "monitor:router")
        await expect(page.get_by_text("Monitor (demo)")).to_be_visible()
        figures = {
            "Response time": r"\d\.\d ms",
            "Uptime (30 days)": r"\d\.\d+%",
            "Error budget left": r"\d\.\d%",
        }
        await shows(page, figures)
        await expect(row(page, "toggle", "Monitoring")).to_be_visible()
        await expect(row(page, "button", "Check now").get_by_text("Press")).to_be_visible()
        await picture(page, images(tmp_path) / "monitor.png")


async def test_a_certificate_is_described_on_its_page(demo: World, tmp_path: Path) -> None:
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(SIZE)
        await open_device(demo, page, "certificate:git.home.example.org-443")
        await expect(page.get_by_text("Certificate (demo)")).to_be_visible()
        await shows(page, {"Certificate expiry": r"3 days ago"})
        await picture(page, tmp_path / "certificate.png")


async def test_a_container_is_described_and_restarted_on_its_page(
    demo: World, tmp_path: Path
) -> None:
    await is_switched_on(demo, CONTAINER, MORE_FACTS)
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(TALL)
        await open_device(demo, page, CONTAINER)
        await expect(page.get_by_text("Container (demo)")).to_be_visible()
        await row(page, "button", "Restart").get_by_text("Press").click()
        await expect(row(page, "event", "Event")).to_contain_text("Healthy")
        figures = {"CPU": r"\d\.\d%", "Memory": r"\d\.\d MiB", "Processes": r"\d+ processes"}
        await shows(page, {"State": "Running", "Health": "Healthy", **figures})
        await expect(row(page, "update", "Update")).to_contain_text("Update available")
        await picture(page, images(tmp_path) / "container.png")


async def test_expiries_and_windows_are_in_the_calendar(demo: World, tmp_path: Path) -> None:
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(WIDE)
        await page.goto(f"{demo.home.url}/calendar")
        await expect(page.get_by_text("certificate expires").first).to_be_visible()
        await expect(page.get_by_text("Backup").first).to_be_visible()
        await picture(page, images(tmp_path) / "calendar.png")


async def test_an_update_is_started_in_its_dialog_and_watched_there(
    demo: World, tmp_path: Path
) -> None:
    await put_into_area(demo, CONTAINER, "Demo homelab")
    update = await demo.entity(CONTAINER, "update")
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(TALL)
        await open_device(demo, page, CONTAINER)
        await row(page, "update", "Update").click()
        dialog = page.locator("ha-more-info-dialog")
        await expect(dialog.get_by_text("The new container has to start")).to_be_visible()
        await expect(dialog).to_contain_text("2.19.5")
        await dialog.get_by_role("button", name="Update", exact=True).click()
        async with held(demo, update, lambda now: bool(now.get("update_percentage"))):
            await expect(dialog).to_contain_text(re.compile(r"Installing \([1-9]\d?%\)"))
            await picture(page, images(tmp_path) / "update.png")
        await expect(dialog).to_contain_text("Up-to-date")
        assert await demo.home.api.state(update) == "off"


async def test_a_restart_loop_is_a_repair_that_shows_the_log(demo: World, tmp_path: Path) -> None:
    async with logged_in(demo.home.url) as page:
        await page.goto(f"{demo.home.url}/config/repairs")
        await page.get_by_text("iot-zigbee2mqtt-1 restarts again and again").click()
        await expect(page.get_by_text("Stop the container")).to_be_visible()
        await page.get_by_text("Show the last lines of its log").click()
        await expect(page.get_by_text("error: z2m:").first).to_be_visible()
        await picture(page, tmp_path / "repair.png")


async def test_the_automation_editor_finds_the_triggers_in_words(
    world: World, tmp_path: Path
) -> None:
    async with logged_in(world.home.url) as page:
        await page.goto(f"{world.home.url}/config/automation/edit/new")
        await page.get_by_text("Add trigger").first.click()
        await page.get_by_placeholder("Search").last.fill("container")
        for trigger in ("Container died", "Container became unhealthy"):
            await expect(page.get_by_text(trigger, exact=True)).to_be_visible()
        await picture(page, tmp_path / "triggers.png")


async def test_home_assistant_has_nothing_to_complain_of(world: World) -> None:
    """The last one: what all the pages before made it say."""
    complaint = re.compile(r" (ERROR|CRITICAL|WARNING) .*homelab|custom_components/homelab")
    lines = [line for line in world.home.log.read_text().splitlines() if complaint.search(line)]
    # It says so of every integration that is not its own, and of a busy machine.
    usual = re.compile("which has not been tested| took .* seconds| taking (over|longer) ")
    assert [line for line in lines if not usual.search(line)] == []
