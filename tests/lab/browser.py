"""A real browser on Home Assistant's own pages."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import ConsoleMessage, Page, ViewportSize, async_playwright, expect

from tests.harness.home_assistant import PASSWORD, USER

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 90_000  # two busy cores load the front end's hundreds of files slowly
SIZE = ViewportSize(width=1280, height=900)
MIDDLE = ViewportSize(width=1280, height=950)
TALL = ViewportSize(width=1280, height=1180)
TALLEST = ViewportSize(width=1280, height=1465)
WIDE = ViewportSize(width=1440, height=900)
README_IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def images(folder: Path) -> Path:
    """Return where pictures go: with HOMELAB_UPDATE_IMAGES to the README's, else to `folder`."""
    return README_IMAGES if os.environ.get("HOMELAB_UPDATE_IMAGES") else folder


@asynccontextmanager
async def logged_in(url: str) -> AsyncIterator[Page]:
    """Give a page of Home Assistant after its login form was filled in.

    Raises:
        AssertionError: something on its pages went wrong, in the browser's own words.
    """
    errors: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = await browser.new_page(viewport=SIZE, device_scale_factor=1.5)
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: errors.append(said.text) if _is_error(said) else None)
            expect.set_options(timeout=PATIENCE_MS)
            await page.goto(url)
            await page.locator('input[name="username"]').fill(USER)
            await page.locator('input[name="password"]').fill(PASSWORD)
            await page.keyboard.press("Enter")
            await page.locator("home-assistant-main").wait_for(state="attached")
            yield page
            # What is still being loaded when the browser is closed fails.
            told = tuple(errors)
        finally:
            await browser.close()
    assert told == (), told


def _is_error(said: ConsoleMessage) -> bool:
    """Return whether a page complains; pictures from the internet are not to be had here."""
    return said.type == "error" and "Failed to load resource" not in said.text
