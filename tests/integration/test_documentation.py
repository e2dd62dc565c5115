"""What the pages tell people to write is what Home Assistant takes, and nothing is passed over."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.json import load_json_object
from homeassistant.util.yaml import load_yaml_dict, parse_yaml

from custom_components.homelab.sensor import FINDINGS, UPDATES_AVAILABLE
from custom_components.homelab.sensor_container import CONTAINER_SENSORS
from custom_components.homelab.sensor_domain import (
    DOMAIN_SENSORS,
    DYNAMIC_ADDRESS_SENSORS,
    MANAGED_CERTIFICATE_SENSORS,
    PROVIDER_SENSORS,
    PROXY_SENSORS,
)
from custom_components.homelab.sensor_host import HOST_SENSORS, MANAGER_SENSORS
from custom_components.homelab.sensor_machine import MACHINE_SENSORS
from custom_components.homelab.sensor_monitor import CERTIFICATE_SENSORS, MONITOR_SENSORS
from custom_components.homelab.sensor_parts import PART_SENSORS
from custom_components.homelab.sensor_provisioning import PROVISIONING
from custom_components.homelab.sensor_stack import STACK_SENSORS, SWARM_SERVICE_SENSORS

CHECKOUT = Path(__file__).parents[2]
INTEGRATION = CHECKOUT / "custom_components" / "homelab"
README = (CHECKOUT / "README.md").read_text()
PAGE = (CHECKOUT / "docs" / "AUTOMATIONS.md").read_text()
PAGES = {"README.md": README, "docs/AUTOMATIONS.md": PAGE}

PARTS = {kind.name: sensors for kind, sensors in PART_SENSORS}

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(text, id=f"{page}:{content.count(chr(10), 0, found.start()) + 1}")
    for page, content in PAGES.items()
    for found in BLOCK.finditer(content)
    if re.search(r"^ *- (?:trigger|condition|action): homelab\.", text := found[1], re.MULTILINE)
]


LINKING = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "addon/DOCS.md",
    *(f"docs/{path.name}" for path in sorted((CHECKOUT / "docs").glob("*.md"))),
]


def parts(example: str) -> dict[str, list[Any]]:
    """Return an example as the parts of an automation."""
    content = parse_yaml(example)
    return {"actions": content} if isinstance(content, list) else content


def fields_of(described: Any) -> set[str]:
    """Return the names of the fields of an action, those within sections too."""
    return {
        name
        for field, about in described.items()
        for name in (fields_of(about["fields"]) if "fields" in about else {field})
    }


def in_examples(part: str, word: str) -> set[str]:
    """Return the names that the examples of the page use in a part."""
    found = [each for example in BLOCK.findall(PAGE) for each in parts(example).get(part, ())]
    return {each[word].removeprefix("homelab.") for each in found}


@pytest.mark.parametrize("example", EXAMPLES)
async def test_home_assistant_takes_every_example(hass: HomeAssistant, example: str) -> None:
    assert await async_setup_component(hass, "homelab", {})
    written = parts(example)
    automation = {"alias": "Example", "triggers": [], "actions": [], **written}

    valid = await async_validate_config_item(hass, "example", automation)

    assert valid is not None
    assert valid.validation_error is None
    actions = hass.services.async_services_for_domain("homelab")
    for step in written.get("actions", ()):
        domain, _, name = step.get("action", "").partition(".")
        if domain == "homelab":
            actions[name].schema({**step.get("data", {}), **step.get("target", {})})


@pytest.mark.parametrize(
    ("file", "part", "word"),
    [
        ("triggers.yaml", "triggers", "trigger"),
        ("conditions.yaml", "conditions", "condition"),
        ("services.yaml", "actions", "action"),
    ],
)
def test_everything_that_automations_can_use_is_explained_with_an_example(
    file: str, part: str, word: str
) -> None:
    described = load_yaml_dict(INTEGRATION / file)
    names = {name for name in described if not name.startswith(".")}
    assert names
    assert names <= in_examples(part, word)
    explained = set(re.findall(r"`([\w.]+)`", PAGE))
    assert {f"homelab.{name}" for name in names} <= explained
    fields = {field for name in names for field in fields_of(described[name].get("fields") or {})}
    assert fields <= explained


@pytest.mark.parametrize(
    ("row", "sensors"),
    [
        ("a container", CONTAINER_SENSORS),
        ("a stack", STACK_SENSORS),
        ("a Swarm service", SWARM_SERVICE_SENSORS),
        ("the host", (*HOST_SENSORS, *MANAGER_SENSORS, UPDATES_AVAILABLE, PROVISIONING)),
        ("the machine", (*(one for _, some in MACHINE_SENSORS for one in some), FINDINGS)),
        ("a file system", PARTS["filesystem"]),
        ("a network interface", PARTS["network_interface"]),
        ("a disk", (*PARTS["block_device"], *PARTS["disk_health"])),
        ("a temperature or a fan", PARTS["host_sensor"]),
        ("a monitor", MONITOR_SENSORS),
        ("a certificate", CERTIFICATE_SENSORS),
        ("a domain", (*DOMAIN_SENSORS, PROVISIONING)),
        ("a dynamic address", DYNAMIC_ADDRESS_SENSORS),
        ("a managed certificate", MANAGED_CERTIFICATE_SENSORS),
        ("the reverse proxy", PROXY_SENSORS),
        ("a DNS provider", PROVIDER_SENSORS),
    ],
)
def test_the_readme_says_of_every_sensor_whether_it_is_on(row: str, sensors: Any) -> None:
    entities: Any = load_json_object(INTEGRATION / "translations" / "en.json")["entity"]
    named = [(one, _named(entities["sensor"][one.translation_key]["name"])) for one in sensors]
    found = re.search(rf"^\| {row} \|(.*)\|(.*)\|$", README, re.MULTILINE)
    assert found
    on, off = (set(_listed(column)) for column in found.groups())
    for sensor, name in named:
        sometimes = getattr(sensor, "default_fn", None) is not None
        assert name in (on if sometimes or sensor.entity_registry_enabled_default else off)


def _listed(column: str) -> Iterator[str]:
    """Yield what a column lists, with and without what is said of it in brackets."""
    for part in re.split(r"[;,]", column):
        yield part.strip()
        yield part.partition("(")[0].strip()


def _named(name: str) -> str:
    """Return a name without what it is about."""
    return name.replace("{of}", "").replace(" {name}", "")


def test_every_blueprint_can_be_imported_from_the_readme() -> None:
    for file in (CHECKOUT / "blueprints").rglob("*.yaml"):
        address = f"https://github.com/homelab-ha/homelab/blob/main/{file.relative_to(CHECKOUT)}"
        assert f"blueprint_url={quote(address, safe='')}" in README, file.name


@pytest.mark.parametrize("page", LINKING)
def test_every_link_within_the_project_leads_somewhere(page: str) -> None:
    text = (CHECKOUT / page).read_text()
    whole = r"(https://github\.com/homelab-ha/homelab/blob/main/)"
    links = rf"\]\((?:{whole}|(?!https?://))([^)#\s]*)(?:#([^)\s]*))?\)"
    for address, target, anchor in re.findall(links, text):
        # The app's page is read within Home Assistant, too: its links are whole addresses.
        folder = CHECKOUT if address else (CHECKOUT / page).parent
        file = folder / target if target else CHECKOUT / page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, f"{target}#{anchor}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
