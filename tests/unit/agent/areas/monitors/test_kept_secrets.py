"""A secret that nobody is shown stays where it was given for, and goes nowhere else."""

import pytest
from pydantic import JsonValue

from homelab_agent.areas.monitors.models import MonitorSettings
from homelab_agent.areas.monitors.secret_settings import (
    STARS,
    hide,
    revealed,
    with_kept_secrets,
)
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.secrets import MASK, SecretFilter


def plex(url: str, token: str) -> MonitorSettings:
    check: dict[str, JsonValue] = {"type": "plex", "url": url, "token": token}
    return MonitorSettings.model_validate({"name": "Plex", "check": check})


KNOWN = plex("http://plex.home:32400", "the-token")


def test_stars_keep_the_secret_of_the_same_server() -> None:
    kept = with_kept_secrets(plex("http://plex.home:32400/web", STARS), KNOWN)

    assert "the-token" in str(revealed(kept))


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
    assert "the-token" in str(revealed(kept))


def test_a_key_is_masked_in_logs_and_what_is_said_to_everybody_is_not() -> None:
    headers: dict[str, JsonValue] = {"Accept": "application/json", "X-Api-Key": "correct-horse"}
    check: dict[str, JsonValue] = {"type": "http", "url": "http://nas.home", "headers": headers}
    secrets = SecretFilter()

    hide(MonitorSettings.model_validate({"name": "NAS", "check": check}), secrets)

    line = "sent application/json with correct-horse"
    assert secrets.mask(line) == f"sent application/json with {MASK}"
