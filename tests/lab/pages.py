"""Devices of the integration on Home Assistant's own pages."""

import re
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.harness.waiting import wait_until
from tests.lab.world import Shown


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
