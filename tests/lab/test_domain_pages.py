"""What a person sees and presses of domains: pages of Home Assistant in a real browser.

The README's pictures are of an invented homelab, which says of itself that it is invented.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.harness.agent import Agent
from tests.harness.home_assistant import HomeAssistant
from tests.harness.waiting import wait_until
from tests.lab.browser import images, logged_in
from tests.lab.pages import device_id, held, open_device, picture, row, shows
from tests.lab.world import ShownAgent

README = Path(__file__).parents[2] / "README.md"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CONTAINER = "media:jellyfin:1"
(EXAMPLE,) = (
    {**step["target"], **step["data"]}
    for block in re.findall(r"^```yaml\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    for step in yaml.safe_load(block)
    if isinstance(step, dict) and step.get("action") == "homelab.provision_domain"
)
"""What the README says to do."""
NAME = EXAMPLE["domain"]
DASHBOARD = "homelab-domains"
SECRET = "a-token-of-nobody"
SETTLED_WITHIN_S = 90

PAGE = ViewportSize(width=1280, height=1160)
CARD = ViewportSize(width=1000, height=480)
MENU = ViewportSize(width=1000, height=640)
FORM = ViewportSize(width=1000, height=790)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ShownAgent]:
    """An invented homelab in Home Assistant, whose token may do everything."""
    folder = tmp_path_factory.mktemp("demo")
    settings = {"HOMELAB_NAME": "Demo homelab"}
    async with (
        Agent(folder / "agent", demo=True, settings=settings) as agent,
        HomeAssistant(folder / "home-assistant") as home,
    ):
        token = await agent.create_token("home-assistant", "admin")
        await home.api.add_homelab(agent.host, agent.port, token, ssl=False)
        health = await agent.get("/api/v1/health")
        yield ShownAgent(agent, home, health["instance_id"])


async def add_dashboard(demo: ShownAgent, entity: str) -> None:
    """Add a dashboard with cards that show how far a provisioning is."""
    row = {"type": "attribute", "entity": entity}
    rows: list[object] = [
        {"entity": entity, "name": "Provisioning"},
        {**row, "attribute": "domain", "name": "Domain", "icon": "mdi:web"},
        {
            **row,
            "attribute": "progress",
            "name": "Progress",
            "icon": "mdi:progress-check",
            "suffix": "%",
        },
    ]
    message = f"{{{{ state_attr('{entity}', 'message') or 'Nothing is being provisioned.' }}}}"
    cards = [
        {"type": "entities", "title": "A container at a name", "entities": rows},
        {"type": "markdown", "content": message},
    ]
    view = {"cards": [{"type": "vertical-stack", "cards": cards}]}
    async with demo.home.api.socket() as socket:
        title = {"title": "Domains", "icon": "mdi:web"}
        await socket.command(
            "lovelace/dashboards/create", url_path=DASHBOARD, mode="storage", **title
        )
        await socket.command("lovelace/config/save", url_path=DASHBOARD, config={"views": [view]})


async def open_options(demo: ShownAgent, page: Page) -> Locator:
    """Open the options of the integration; return the dialog."""
    await page.goto(f"{demo.home.url}/config/integrations/integration/homelab")
    await page.get_by_role("button", name="Configure").first.click()
    return page.locator("dialog-data-entry-flow")


async def test_a_provisioning_is_watched_on_a_dashboard_and_its_domain_has_a_page(
    demo: ShownAgent, tmp_path: Path
) -> None:
    await device_id(demo, CONTAINER)
    provisioning = await demo.host_entity("provisioning")
    await add_dashboard(demo, provisioning)
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(CARD)
        await page.goto(f"{demo.home.url}/{DASHBOARD}")
        await expect(page.get_by_text("Nothing to do")).to_be_visible()
        work = asyncio.create_task(
            demo.home.api.action("homelab", "provision_domain", EXAMPLE, response=True)
        )
        said = "Waiting for the certificate"
        async with held(demo, provisioning, lambda now: said in str(now.get("message"))):
            await expect(page.get_by_text(said)).to_be_visible()
            shown = await page.locator("body").aria_snapshot()
            await picture(page, images(tmp_path) / "provisioning.png")
        for text in ("Getting the certificate", NAME, "75"):
            assert text in shown
        await expect(page.get_by_text("Nothing to do")).to_be_visible()
        assert (await work)["outcome"] == "done"

        await page.set_viewport_size(PAGE)
        await demo.shows(await demo.entity(f"domain:{NAME}", "problem"), "off")
        await open_device(demo, page, f"domain:{NAME}")
        await expect(page.get_by_text("Domain (demo)")).to_be_visible()
        await expect(page.get_by_role("link", name="Visit")).to_have_attribute(
            "href", f"https://{NAME}"
        )
        facts = {
            "Address": r"203\.0\.113\.\d+",
            "Dynamic IPv4 address": r"203\.0\.113\.\d+",
            "Certificate expiry": "In 3 months",
            "Provisioning": "Nothing to do",
            "Route": "As it should be",
        }
        await shows(page, facts)
        note = {"domain": NAME, "note": "Films for the family"}
        await demo.home.api.action("homelab", "update_domain", note, response=True)
        await expect(row(page, "event", "Event")).to_contain_text("Changed")
        await expect(row(page, "simple", "Problem")).to_contain_text("OK")
        await expect(row(page, "button", "Check now").get_by_text("Press")).to_be_visible()
        await picture(page, images(tmp_path) / "domain.png")


async def test_a_name_that_follows_an_address_is_described_on_its_domains_page(
    demo: ShownAgent, tmp_path: Path
) -> None:
    name = "domain:home.example.org"
    await demo.shows(await demo.entity(name, "problem"), "off", within_s=SETTLED_WITHIN_S)
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(PAGE)
        await open_device(demo, page, name)
        await shows(page, {"Dynamic IPv4 address": r"203\.0\.113\.\d+", "Route": "As it should be"})
        await expect(row(page, "simple", "Dynamic DNS problem")).to_contain_text("OK")
        await expect(row(page, "simple", "Renewal problem")).to_contain_text("OK")
        await picture(page, tmp_path / "dynamic.png")


async def test_a_provider_is_added_in_the_options_and_a_wrong_key_is_told_in_words(
    demo: ShownAgent, tmp_path: Path
) -> None:
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(MENU)
        dialog = await open_options(demo, page)
        await expect(dialog.get_by_text("Home Assistant keeps nothing of it.")).to_be_visible()
        for name in ("Reverse proxy", "Certificate authority", "Certificate of your own"):
            await expect(dialog.get_by_text(name, exact=True)).to_be_visible()
        await picture(page, images(tmp_path) / "options.png")
        await page.set_viewport_size(FORM)
        await dialog.get_by_text("Add a DNS provider").click()
        await dialog.get_by_text("Cloudflare").click()
        token = dialog.locator('input[name="api_token"]')
        await dialog.locator('input[name="name"]').fill("Cloudflare")
        await token.fill("the-wrong-token")
        await dialog.get_by_role("button", name="Submit").click()
        await expect(dialog.get_by_text("does not take this key")).to_be_visible()
        assert await token.input_value() == ""
        await token.fill(SECRET)
        await picture(page, images(tmp_path) / "provider.png")
        await dialog.get_by_role("button", name="Submit").click()
        await expect(dialog.get_by_text("Success", exact=True)).to_be_visible()

    async def provider_is_there() -> bool:
        return any(
            each["unique_id"].endswith("dns_provider:cloudflare:provider_state")
            for each in await demo.registry()
        )

    await wait_until(provider_is_there, what="the sensor of the provider")


async def test_a_user_of_a_website_gets_a_password_in_the_options_after_a_mistake(
    demo: ShownAgent, tmp_path: Path
) -> None:
    async with logged_in(demo.home.url) as page:
        await page.set_viewport_size(FORM)
        dialog = await open_options(demo, page)
        await dialog.get_by_text("Passwords of a website").click()
        await dialog.get_by_role("button", name="Add").click()
        await page.get_by_role("textbox", name="Name").fill("anna")
        await page.get_by_role("button", name="Add", exact=True).last.click()
        await dialog.get_by_role("button", name="Submit").click()
        await expect(dialog.get_by_text("Give each user a name and a password.")).to_be_visible()
        await picture(page, tmp_path / "users.png")
        await dialog.get_by_role("button", name="Edit").click()
        await page.get_by_role("textbox", name="Password").fill(SECRET)
        await page.get_by_role("button", name="Save", exact=True).last.click()
        await dialog.get_by_role("button", name="Submit").click()
        await expect(dialog.get_by_text("Success", exact=True)).to_be_visible()
    token = await demo.agent.create_token("reader", "read")
    _, answer = await demo.agent.ask("GET", "/proxy/routes", token=token)
    assert [each["users"] for each in answer["routes"] if each["users"]] == [["anna"]]
