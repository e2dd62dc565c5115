"""Whatever an agent may say by its contract, little or much, costs no entity and no error."""

from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.homelab.client.kinds import KINDS
from custom_components.homelab.diagnostics import async_get_config_entry_diagnostics
from tests.fakes import wire, wire_domains, wire_machine, wire_services
from tests.fakes.agent_server import FakeAgent
from tests.integration.home import Home
from tests.integration.test_entities import put_some_of_everything

MODELS = {kind.name: kind.model for kind in KINDS}


def without_optional(model: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return a resource in which all that may be null is."""
    hints = get_type_hints(model)
    bare = dict(data)
    for field in fields(model):
        hint = hints[field.name]
        if NoneType in get_args(hint):
            bare[field.name] = None
        elif is_dataclass(hint) and isinstance(data.get(field.name), dict):
            bare[field.name] = without_optional(hint, data[field.name])
    return bare


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was complained of."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "ERROR" or "passed over" in record.getMessage()
    ]


@pytest.fixture
def _all_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable every entity."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.mark.usefixtures("_all_on")
async def test_null_in_each_optional_field_breaks_no_entity(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    put_some_of_everything(home.agent)
    await home.settled()
    full = er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
    for (kind, key), data in list(home.agent.resources.items()):
        home.agent.put(kind, key, without_optional(MODELS[kind], data))
    await home.settled()
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.settled()
    bare = er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
    assert {one.unique_id for one in full} <= {one.unique_id for one in bare}
    assert await async_get_config_entry_diagnostics(home.hass, home.entry)
    assert errors(caplog) == []


@pytest.mark.usefixtures("_all_on")
async def test_the_longest_names_cost_neither_an_entity_nor_a_state(
    hass: HomeAssistant,
    agent: FakeAgent,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    long, name = "n" * 255, ".".join(["d" * 62] * 4)
    agent.put_container(long, image=f"{long}@sha256:{'f' * 64}")
    agent.put("stack", long, wire.stack(long, problem="p" * 500, state="degraded"))
    agent.put("monitor", "long", wire_services.monitor("m" * 255, key="long", reason="r" * 500))
    details = wire_services.certificate_details(issuer="i" * 500)
    agent.put("certificate", "long", wire_services.certificate("long", details=details))
    agent.put("domain", name, wire_domains.domain(name))
    kept = wire_domains.managed_certificate(name, names=[name, f"*.{name}"])
    agent.put("managed_certificate", name, kept)
    agent.put("filesystem", f"/{long}", wire_machine.filesystem(f"/{long}"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    home = Home(hass, agent, entry)
    await home.settled()
    assert home.state("switch", f"{long}:switch").state == "on"
    assert home.state("sensor", f"{long}:image").state.startswith("nnn")
    assert home.state("sensor", "certificate:long:issuer").state.startswith("iii")
    assert home.state("sensor", f"stack:{long}:state").state == "degraded"
    assert home.state("binary_sensor", "monitor:long:up").state == "on"
    assert home.state("binary_sensor", f"domain:{name}:problem").state == "off"
    assert home.state("sensor", f"fs:/{long}:used_percent").state == "60.0"
    assert errors(caplog) == []
    await hass.config_entries.async_unload(entry.entry_id)
