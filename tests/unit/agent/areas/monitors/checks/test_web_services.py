"""Plex, Sunshine and Home Assistant, as they are and as they should not be."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from homelab_agent.areas.monitors.check_settings import (
    HomeAssistantCheckSettings,
    PlexCheckSettings,
    SunshineCheckSettings,
)
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.home_assistant_check import HomeAssistantCheck
from homelab_agent.areas.monitors.checks.plex_check import PlexCheck
from homelab_agent.areas.monitors.checks.sunshine_check import SunshineCheck
from homelab_agent.areas.monitors.checks.web import Web
from tests.fakes.services.home import SERVER_INFO, home_assistant, plex, sunshine
from tests.fakes.services.http import answer, answers, answers_by_path, json_answer
from tests.fakes.services.server import Talk, serving

ENOUGH_S = 20.0
TOKEN = SecretStr("correct-horse-battery")

type Ask = Callable[..., CheckOutcome]


def details(outcome: CheckOutcome) -> dict[str, object]:
    return {detail.name: detail.value for detail in outcome.details}


async def ask_plex(web: Web, talk: Talk, token: SecretStr | None = None) -> CheckOutcome:
    async with serving(talk) as service:
        settings = PlexCheckSettings(url=service.url, token=token)
        return await PlexCheck(web).run(settings, ENOUGH_S, allow_guarded=False)


async def ask_home(web: Web, talk: Talk, token: SecretStr | None = None) -> CheckOutcome:
    async with serving(talk) as service:
        settings = HomeAssistantCheckSettings(url=service.url, token=token)
        return await HomeAssistantCheck(web).run(settings, ENOUGH_S, allow_guarded=False)


async def ask_sunshine(web: Web, info: str) -> CheckOutcome:
    async with serving(sunshine(info)) as service:
        settings = SunshineCheckSettings(host=service.host, port=service.port)
        return await SunshineCheck(web).run(settings, ENOUGH_S, allow_guarded=False)


async def test_plex_tells_its_version_without_a_token(web: Web) -> None:
    outcome = await ask_plex(web, plex())
    assert outcome.ok
    assert details(outcome) == {"version": "1.41.3.9314", "machine": "d1c7"}


async def test_plex_tells_with_a_token_how_many_watch(web: Web) -> None:
    assert details(await ask_plex(web, plex(sessions=3), TOKEN))["sessions"] == 3


async def test_plex_is_up_although_it_does_not_take_the_token(web: Web) -> None:
    identity = json_answer({"MediaContainer": {"version": "1.41"}})
    pages = {"/identity": identity, "/status/sessions": answer(status="401 Unauthorized")}
    outcome = await ask_plex(web, answers_by_path(pages), TOKEN)
    assert outcome.ok
    assert "does not accept the token (401)" in (outcome.warning or "")


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (json_answer({"MediaContainer": {}}), CheckCode.BAD_ANSWER),
        (json_answer({"MediaContainer": "x"}), CheckCode.BAD_ANSWER),
        (json_answer([1]), CheckCode.BAD_ANSWER),
        (answer(b"<html>"), CheckCode.BAD_ANSWER),
        (answer(b"[" * 100_000), CheckCode.BAD_ANSWER),
        (answer(status="503 Maintenance"), CheckCode.WRONG_STATUS),
    ],
)
async def test_what_is_no_plex_is_not_taken_for_one(web: Web, page: bytes, code: CheckCode) -> None:
    assert (await ask_plex(web, answers(page))).code == code


async def test_sunshine_tells_whether_somebody_plays(web: Web) -> None:
    assert details(await ask_sunshine(web, SERVER_INFO)) == {
        "state": "free",
        "name": "gaming-pc",
        "version": "7.1.431.-1",
    }
    busy = SERVER_INFO.replace("SERVER_FREE", "SERVER_BUSY").replace(
        "<currentgame>0", "<currentgame>881448767"
    )
    found = details(await ask_sunshine(web, busy))
    assert (found["state"], found["application"]) == ("busy", "881448767")


async def test_the_server_of_nvidia_is_understood_too(web: Web) -> None:
    info = SERVER_INFO.replace("SUNSHINE_SERVER_FREE", "MJOLNIR_STATE_SERVER_FREE")
    assert details(await ask_sunshine(web, info))["state"] == "free"


BOMB = """<?xml version="1.0"?><!DOCTYPE root [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<root status_code="200"><state>&c;_SERVER_FREE</state></root>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE root [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<root status_code="200"><state>&a;_SERVER_FREE</state></root>"""


@pytest.mark.parametrize("info", [BOMB, OUTSIDE, "", "<root", "<html><b></html>", "{}", "<a/>"])
async def test_xml_that_is_no_answer_of_sunshine_is_refused(web: Web, info: str) -> None:
    assert (await ask_sunshine(web, info)).code == CheckCode.BAD_ANSWER


@pytest.mark.parametrize("status", ["401", "500", "99999999" * 40])
async def test_sunshine_says_what_is_wrong_within_its_answer(web: Web, status: str) -> None:
    info = SERVER_INFO.replace('status_code="200"', f'status_code="{status}"')
    outcome = await ask_sunshine(web, info)
    assert outcome.code == CheckCode.WRONG_STATUS
    assert len(outcome.reason or "") < 200


async def test_a_host_that_is_no_name_is_told_so(web: Web) -> None:
    settings = SunshineCheckSettings(host="nas/../x")
    outcome = await SunshineCheck(web).run(settings, ENOUGH_S, allow_guarded=False)
    assert outcome.code == CheckCode.BAD_ADDRESS


async def test_home_assistant_serves_its_pages(web: Web) -> None:
    assert (await ask_home(web, home_assistant())).ok


async def test_home_assistant_tells_with_a_token_that_it_runs(web: Web) -> None:
    outcome = await ask_home(web, home_assistant(), TOKEN)
    assert outcome.ok
    assert details(outcome) == {"version": "2026.11.0"}


@pytest.mark.parametrize("state", ["NOT_RUNNING", "STARTING", "STOPPING"])
async def test_home_assistant_that_still_starts_is_not_up(web: Web, state: str) -> None:
    outcome = await ask_home(web, home_assistant(state), TOKEN)
    assert outcome.code == CheckCode.NOT_READY
    assert state in (outcome.reason or "")
    # Without a token nobody can know.
    assert (await ask_home(web, home_assistant(state))).ok


async def test_home_assistant_in_recovery_mode_is_warned_of(web: Web) -> None:
    config = {"state": "RUNNING", "version": "2026.11.0", "recovery_mode": True}
    outcome = await ask_home(web, answers(json_answer(config)), TOKEN)
    assert outcome.ok
    assert "recovery mode" in (outcome.warning or "")


async def test_home_assistant_that_does_not_take_the_token_is_told_so(web: Web) -> None:
    outcome = await ask_home(web, answers(answer(status="401 Unauthorized")), TOKEN)
    assert outcome.code == CheckCode.LOGIN_FAILED


async def test_another_page_is_not_taken_for_home_assistant(web: Web) -> None:
    assert (await ask_home(web, answers(json_answer({"name": "x"})))).code == CheckCode.BAD_ANSWER
    assert (await ask_home(web, answers(json_answer({})), TOKEN)).code == CheckCode.BAD_ANSWER
