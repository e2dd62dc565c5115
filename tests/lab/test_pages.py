"""What a person sees: the pages of the devices in a real browser. The pictures go to the README."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.harness.waiting import wait_until
from tests.lab.browser import images, logged_in
from tests.lab.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

WEB_IMAGE = "homelab-lab/web"
STACK = {
    "photos": ("web", WEB_IMAGE),
    "recipes": ("web", WEB_IMAGE),
    "music": ("web", WEB_IMAGE),
}


async def make_stack(world: World) -> None:
    for project, (service, image) in STACK.items():
        await world.docker.create(
            project,
            image=image,
            command=(),
            labels={
                "com.docker.compose.project": project,
                "com.docker.compose.service": service,
                "com.docker.compose.container-number": "1",
            },
            NetworkMode="bridge",
        )


async def device_page(world: World, page: Page, container: str) -> None:
    async def find() -> str | None:
        return await world.device_id(container)

    device_id = await wait_until(find, what=f"the device of {container}")
    await page.goto(f"{world.home.url}/config/devices/device/{device_id}")
    await page.wait_for_load_state("networkidle")


async def test_a_person_finds_a_container_with_its_state_on_its_device_page(
    world: World, tmp_path: Path
) -> None:
    await make_stack(world)
    health = await world.entity("photos:web:1", "health")
    await world.shows(health, "healthy")
    async with logged_in(world.home.url) as page:
        await device_page(world, page, "photos:web:1")
        await expect(page.get_by_text("Healthy").first).to_be_visible()
        await expect(page.get_by_text("Running").first).to_be_visible()
        await page.screenshot(path=images(tmp_path) / "container-device.png")
        host = await world.host_device_id()
        await page.goto(f"{world.home.url}/config/devices/device/{host}")
        await page.wait_for_load_state("networkidle")
        await expect(page.get_by_text("Connected").first).to_be_visible()
        await page.screenshot(path=images(tmp_path) / "host-device.png")
