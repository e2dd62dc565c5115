"""What is said to people exists, and what is claimed about quality is complete."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from homeassistant.components import sensor

from custom_components.homelab import config_flow, exceptions, issues
from custom_components.homelab.client import (
    AcmeStep,
    FindingType,
    UpdatePolicy,
)
from custom_components.homelab.client.errors import error_classes
from custom_components.homelab.event import (
    CERTIFICATE_EVENTS,
    EVENT,
    MONITOR_EVENTS,
    PORT_EVENTS,
)
from custom_components.homelab.event_domain import ADDRESS_EVENTS, DOMAIN_EVENTS, RENEWAL_EVENTS
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

INTEGRATION = Path(__file__).parents[3] / "custom_components" / "homelab"
SENSORS = (
    *CONTAINER_SENSORS,
    *HOST_SENSORS,
    *MANAGER_SENSORS,
    *STACK_SENSORS,
    *SWARM_SERVICE_SENSORS,
    *MONITOR_SENSORS,
    *CERTIFICATE_SENSORS,
    *DOMAIN_SENSORS,
    *DYNAMIC_ADDRESS_SENSORS,
    *MANAGED_CERTIFICATE_SENSORS,
    *PROXY_SENSORS,
    *PROVIDER_SENSORS,
    PROVISIONING,
    *(sensor for _, sensors in (*MACHINE_SENSORS, *PART_SENSORS) for sensor in sensors),
)
EVENTS = (
    EVENT,
    MONITOR_EVENTS,
    CERTIFICATE_EVENTS,
    PORT_EVENTS,
    DOMAIN_EVENTS,
    ADDRESS_EVENTS,
    RENEWAL_EVENTS,
)
LANGUAGES = sorted((INTEGRATION / "translations").glob("*.json"))

RULES = [
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow-test-coverage",
    "config-flow",
    "dependency-transparency",
    "docs-actions",
    "docs-triggers",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery-update-info",
    "discovery",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    "async-dependency",
    "inject-websession",
    "strict-typing",
]


@pytest.fixture(params=LANGUAGES, ids=lambda path: path.stem)
def texts(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text())


def test_every_error_of_an_action_is_told_in_the_users_language(texts: Any) -> None:
    assert texts["exceptions"].keys() >= exceptions.TRANSLATED | {exceptions.GENERAL}


def test_every_error_of_the_forms_is_told_in_the_users_language(texts: Any) -> None:
    told = config_flow._TOLD | config_flow._FIELD_OF_ERROR.keys() | {"unknown"}
    assert texts["config"]["error"].keys() == told


def test_every_repair_is_told_in_the_users_language(texts: Any) -> None:
    assert texts["issues"].keys() == set(issues._ALL)


def test_every_value_of_a_sensor_is_told_in_the_users_language(texts: Any) -> None:
    names = texts["entity"]["sensor"]
    for description in SENSORS:
        assert description.translation_key in names
        if description.device_class is sensor.SensorDeviceClass.ENUM:
            assert description.options is not None
            assert names[description.translation_key]["state"].keys() == set(description.options)


def test_every_event_and_policy_is_told_in_the_users_language(texts: Any) -> None:
    for events in EVENTS:
        attributes = texts["entity"]["event"][events.translation_key]["state_attributes"]
        assert attributes["event_type"]["state"].keys() == set(events.event_types or ())
    found = texts["entity"]["sensor"]["findings"]["state_attributes"]["types"]["state"]
    assert found.keys() == {kind.value for kind in FindingType} - {"unknown"}
    steps = {step.value for step in AcmeStep} - {"unknown"}
    for platform, key in (("binary_sensor", "managed_problem"), ("event", "managed_certificate")):
        step = texts["entity"][platform][key]["state_attributes"]["step"]
        assert step["state"].keys() == steps
    policies = {policy.value for policy in UpdatePolicy}
    told = texts["entity"]["update"]["image"]["state_attributes"]["policy"]["state"]
    assert told.keys() == policies - {"unknown"}
    notes = {key for key in texts["common"] if key.startswith("notes_policy_")}
    assert notes == {f"notes_policy_{policy}" for policy in policies}


def test_every_language_names_the_same_things_and_every_one_has_a_picture() -> None:
    entities = [json.loads(path.read_text())["entity"] for path in LANGUAGES]
    names = [{platform: set(found) for platform, found in one.items()} for one in entities]
    assert all(one == names[0] for one in names)
    pictures = json.loads((INTEGRATION / "icons.json").read_text())["entity"]
    assert {platform: set(found) for platform, found in pictures.items()} == names[0]


def test_only_errors_nobody_can_cause_here_are_told_in_general_words() -> None:
    untold = {error.code for error in error_classes()} - exceptions.TRANSLATED
    assert untold == {
        "malformed",
        "too_large",
        "method_not_allowed",
        "settings",
        "store",
        "too_slow",
    }


def test_no_rule_of_the_quality_scale_is_passed_over() -> None:
    rules = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text())["rules"]
    assert sorted(rules) == sorted(RULES)
    assert len(RULES) == 54
    for rule, claim in rules.items():
        status = claim if isinstance(claim, str) else claim["status"]
        assert status in {"done", "todo", "exempt"}, rule
        assert status == "done" or claim["comment"], rule


def test_the_store_shows_a_picture() -> None:
    for name in ("icon", "icon@2x", "logo", "logo@2x"):
        assert (INTEGRATION / "brand" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
