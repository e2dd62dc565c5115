"""Devices of the integration on Home Assistant's own pages."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.harness.waiting import wait_until
from tests.lab.world import Shown, ShownAgent, World


async def device_id(shown: Shown, thing: str | None) -> str:
    """Return the id of the device of a thing, or of the host, once there is one."""

    async def find() -> str | None:
        return await (shown.device_id(thing) if thing else shown.host_device_id())

    return await wait_until(find, what=f"the device of {thing or 'the host'}")


async def open_device(shown: Shown, page: Page, thing: str | None = None) -> None:
    """Open the page of the device of a thing, or of the host."""
    address = f"{shown.home.url}/config/devices/device/{await device_id(shown, thing)}"
    await page.goto(address)
    await page.wait_for_load_state("networkidle")


def row(page: Page, kind: str, name: str) -> Locator:
    """Return the row of an entity on the page of its device."""
    name_alone = page.get_by_text(name, exact=True)
    return page.locator(f"hui-{kind}-entity-row").filter(has=name_alone)


async def shows(page: Page, rows: Mapping[str, str]) -> None:
    """Wait until sensors show what the patterns describe."""
    for name, pattern in rows.items():
        # Between a figure and its unit there is a space that does not break.
        spaced = re.compile(pattern.replace(" ", r"\s"))
        await expect(row(page, "sensor", name)).to_contain_text(spaced)


async def picture(page: Page, path: Path) -> None:
    """Take a picture of a page; none of it may be the name of a text instead of the text."""
    await expect(page.get_by_text("component.homelab")).to_have_count(0)
    await page.screenshot(path=path)


@asynccontextmanager
async def held(
    shown: World | ShownAgent, entity_id: str, while_it: Callable[[Mapping[str, Any]], bool]
) -> AsyncIterator[None]:
    """Hold the agent while the attributes of an entity are so: a busy browser may need longer."""

    async def is_so() -> bool:
        state = await shown.home.api.call("GET", f"/api/states/{entity_id}")
        return while_it(state["attributes"])

    await wait_until(is_so, what=f"the moment of {entity_id}")
    shown.agent.pause()
    try:
        yield
    finally:
        shown.agent.resume()
