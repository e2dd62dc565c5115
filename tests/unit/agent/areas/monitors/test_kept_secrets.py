"""A secret that nobody is shown stays where it was given for, and goes nowhere else."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from homelab_agent.areas.monitors.check_settings import (
    HomeAssistantCheckSettings,
    HttpCheckSettings,
    PlexCheckSettings,
)
from homelab_agent.areas.monitors.condition import Remembered
from homelab_agent.areas.monitors.models import MonitorSettings, MonitorSource
from homelab_agent.areas.monitors.secret_settings import hide, with_kept_secrets
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.secrets import MASK, STARS, SecretFilter
from homelab_agent.platform.store.database import Store
from tests.unit.agent.areas.monitors.one_agent import OneAgent, Times


def plex(url: str, token: str) -> MonitorSettings:
    check: dict[str, JsonValue] = {"type": "plex", "url": url, "token": token}
    return MonitorSettings.model_validate({"name": "Plex", "check": check})


def _token(settings: MonitorSettings) -> str:
    assert isinstance(settings.check, PlexCheckSettings | HomeAssistantCheckSettings)
    assert settings.check.token
    return settings.check.token.get_secret_value()


KNOWN = plex("http://plex.home:32400", "the-token")


def test_stars_keep_the_secret_of_the_same_server() -> None:
    kept = with_kept_secrets(plex("http://plex.home:32400/web", STARS), KNOWN)

    assert _token(kept) == "the-token"


@pytest.mark.parametrize(
    "url", ["http://elsewhere:32400", "http://plex.home:32401", "https://plex.home:32400"]
)
def test_no_secret_can_be_had_by_asking_for_it_at_another_server(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        with_kept_secrets(plex(url, STARS), KNOWN)

    assert refused.value.field == "check.token"


def test_no_secret_goes_to_whoever_stands_in_between() -> None:
    def home(token: str, *, verify_tls: bool) -> MonitorSettings:
        check: dict[str, JsonValue] = {
            "type": "home_assistant",
            "url": "https://ha.home",
            "token": token,
            "verify_tls": verify_tls,
        }
        return MonitorSettings.model_validate({"name": "Home", "check": check})

    with pytest.raises(Invalid):
        with_kept_secrets(home(STARS, verify_tls=False), home("the-token", verify_tls=True))
    kept = with_kept_secrets(home(STARS, verify_tls=True), home("the-token", verify_tls=False))
    assert _token(kept) == "the-token"


def test_a_key_is_masked_in_logs_and_what_is_said_to_everybody_is_not() -> None:
    headers: dict[str, JsonValue] = {"Accept": "application/json", "X-Api-Key": "correct-horse"}
    check: dict[str, JsonValue] = {"type": "http", "url": "http://nas.home", "headers": headers}
    secrets = SecretFilter()

    hide(MonitorSettings.model_validate({"name": "NAS", "check": check}), secrets)

    line = "sent application/json with correct-horse"
    assert secrets.mask(line) == f"sent application/json with {MASK}"


def _guarded() -> MonitorSettings:
    headers: dict[str, JsonValue] = {"Accept": "text/html", "X-Api-Key": "correct-horse"}
    check: dict[str, JsonValue] = {"type": "http", "url": "http://nas.home", "headers": headers}
    return MonitorSettings.model_validate({"name": "NAS", "check": check})


async def test_whoever_has_the_store_alone_has_no_secret_and_a_restart_has_it(
    store: Store, tmp_path: Path
) -> None:
    kept = OneAgent(store, Times()).store
    added = await kept.add("nas", MonitorSource.PERSON, _guarded(), Remembered())
    await kept.change(added, "nas", MonitorSource.PERSON, _guarded())

    (found,) = await OneAgent(store, Times()).store.monitors()

    assert found.settings == _guarded()
    assert isinstance(found.settings.check, HttpCheckSettings)
    for file in tmp_path.glob("homelab.db*"):  # noqa: ASYNC240  # the test owns these files
        assert b"correct-horse" not in file.read_bytes()


async def test_a_monitor_whose_secret_cannot_be_opened_is_paused_and_says_why(
    store: Store,
) -> None:
    before = OneAgent(store, Times())
    await before.store.add("nas", MonitorSource.PERSON, _guarded(), Remembered())
    after = OneAgent(store, Times(), vault_key=b"another".ljust(32))

    (found,) = await after.store.monitors()

    assert found.status.paused_since is not None
    assert "cannot be opened" in str(found.status.reason)
    with pytest.raises(Invalid, match="no secret to keep"):
        with_kept_secrets(_with_stars(), found.settings)
    (again,) = await before.store.monitors()
    assert again.settings == _guarded()


def _with_stars() -> MonitorSettings:
    headers: dict[str, JsonValue] = {"X-Api-Key": STARS}
    check: dict[str, JsonValue] = {"type": "http", "url": "http://nas.home", "headers": headers}
    return MonitorSettings.model_validate({"name": "NAS", "check": check})
