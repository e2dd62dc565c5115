import re
import tomllib
from pathlib import Path

import pytest
import yaml

from homelab_agent.areas.monitors import check_settings
from homelab_agent.areas.monitors import labels as monitor_labels
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.recreate import verification
from homelab_agent.areas.updates import policy, versions
from homelab_agent.platform.engine import labels as engine_labels
from homelab_agent.platform.engine.models import EngineRight
from homelab_agent.platform.model import Model
from homelab_agent.platform.settings import Settings

ADDON = Path(__file__).parents[3] / "addon"
PAGES = (
    ADDON / "DOCS.md",
    *(
        ADDON.parent / "docs" / f"{name}.md"
        for name in ("INSTALL", "SETTINGS", "CONTAINERS", "MACHINE", "MONITORS", "DOMAINS")
    ),
)
PAGE = "\n".join(page.read_text() for page in PAGES)
APP = yaml.safe_load((ADDON / "config.yaml").read_text())

LABELS = {
    policy.POLICY_LABEL,
    policy.WINDOW_LABEL,
    policy.TAGS_LABEL,
    verification.STABLE_LABEL,
    verification.HTTP_LABEL,
    verification.TIMEOUT_LABEL,
    versions.NOTES_LABEL,
    engine_labels.PROTECT,
    *monitor_labels.LABELS,
}


def section(title: str) -> str:
    """Return what stands under a heading."""
    after = re.split(rf"^#+ {title}$", PAGE, maxsplit=1, flags=re.MULTILINE)[1]
    return re.split(r"^#+ ", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> set[str]:
    """Return what the first column of the tables under a heading explains."""
    firsts = re.findall(r"^\| (`[^|]*`) \|", section(title), re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`([^`]+)`", first)}


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_setting_is_explained_to_the_person_who_installs_the_agent() -> None:
    assert rows("Settings") == set(Settings.model_fields)


def test_the_app_offers_no_option_that_would_keep_the_agent_from_starting() -> None:
    assert APP["schema"]
    assert set(APP["schema"]) <= set(Settings.model_fields)


def test_every_option_of_the_app_is_explained_where_it_is_set_and_on_the_page() -> None:
    told = yaml.safe_load((ADDON / "translations" / "en.yaml").read_text())["configuration"]
    assert rows("Options") == set(APP["schema"]) == set(told)


def test_every_label_is_explained() -> None:
    assert rows("Labels") == LABELS


def test_no_label_is_read_that_the_page_does_not_know() -> None:
    for file in (ADDON / "homelab_agent").rglob("*.py"):
        for label in re.findall(
            r'"(homelab\.(?:monitor|update|protect|release)[\w.-]*)"', file.read_text()
        ):
            assert label in LABELS, file.name


def test_every_right_that_a_proxy_may_forbid_is_explained() -> None:
    assert rows("Rights behind a proxy") == {right.value for right in EngineRight}


@pytest.mark.parametrize("example", examples("yaml"))
def test_every_compose_text_is_one_and_its_labels_mean_something(example: str) -> None:
    services = yaml.safe_load(example)["services"]
    default = policy.ContainerPolicy(
        policy=policy.UpdatePolicy.NOTIFY, window=policy.read_window("03:00-05:00")
    )
    for service in services.values():
        labels = service.get("labels", {})
        assert set(labels) <= LABELS
        assert policy.policy_of(labels, default)
        assert verification.demands(labels, None)
        assert all(wish.problem is None for wish in monitor_labels.wishes(labels))


def test_the_example_of_registries_is_taken() -> None:
    (example,) = examples("toml")
    assert len(Settings.model_validate(tomllib.loads(example)).registries) == 2


CHECKS = {
    found.model_fields["type"].default.value: found
    for found in vars(check_settings).values()
    if isinstance(found, type) and issubclass(found, Model) and "type" in found.model_fields
}


def test_every_kind_of_check_is_explained_with_all_its_fields() -> None:
    assert set(CHECKS) == {each.value for each in check_settings.CheckType}
    for kind, settings in CHECKS.items():
        (row,) = re.findall(rf"^\| `{kind}` \| (.*) \|$", section("Checks"), re.MULTILINE)
        fields = set(re.findall(r"`(\w+)`", row.split(" | ")[0]))
        missing = set(settings.model_fields) - {"type"} - fields
        assert not missing, kind


def test_every_word_for_what_is_wrong_is_explained() -> None:
    assert rows("What is wrong, in a word") == {code.value for code in CheckCode}
