"""What an agent is given to work with, with an agent whose answers are scripted."""

import gc
from collections.abc import Mapping
from typing import Any

import pytest
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.homelab.diagnostics import async_get_config_entry_diagnostics
from custom_components.homelab.provider_forms import STARS
from tests.fakes import wire, wire_domains
from tests.fakes.agent_server import Answer
from tests.fakes.wire_domains import PHOTOS
from tests.integration.home import Home, until

SECRET = "a-secret-nobody-may-see"
SECRET_LINES = frozenset(
    {"token", "api_token", "api_key", "key_secret", "options", "external_hmac_key"}
)
KEY_PEM = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"

KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "rfc2136": (
        {
            "server": "192.0.2.53",
            "zones": ["example.org"],
            "key_name": "homelab",
            "key_algorithm": "hmac-sha512",
            "key_secret": SECRET,
        },
        {},
    ),
    "powerdns": (
        {
            "url": "http://192.0.2.53:8081",
            "api_key": SECRET,
            "server_id": "localhost",
            "verify_tls": False,
        },
        {},
    ),
    "cloudflare": ({"api_token": SECRET}, {}),
    "duckdns": ({"domains": ["me.duckdns.org"], "token": SECRET}, {}),
    "zoneedit": ({"zones": ["example.org"], "user": "me", "token": SECRET}, {}),
    "desec": ({"token": SECRET}, {}),
    "lexicon": (
        {
            "provider": "gandi",
            "zones": ["example.org"],
            "options": [f"auth_token={SECRET}", "protocol=rest"],
        },
        {"options": {"auth_token": SECRET, "protocol": "rest"}},
    ),
}
"""What a person fills in for each kind, and what is told the agent in other words."""


async def begin(home: Home, *steps: str) -> Any:
    """Open the options and go through menus; return what is shown then."""
    flow = home.hass.config_entries.options
    shown: Any = await flow.async_init(home.entry.entry_id)
    for step in steps:
        assert step in shown["menu_options"]
        shown = await flow.async_configure(shown["flow_id"], {"next_step_id": step})
    return shown


async def fill_in(home: Home, shown: Any, given: Mapping[str, Any]) -> Any:
    """Fill a form in as the browser does; return what is shown then."""
    flow = home.hass.config_entries.options
    return await flow.async_configure(shown["flow_id"], dict(given))


def sent(home: Home) -> Any:
    return home.agent.seen[-1].body


def suggested(shown: Any) -> dict[str, Any]:
    """Return what a form shows before anything is typed."""
    return {
        str(line): line.description["suggested_value"]
        for line in shown["data_schema"].schema
        if line.description and "suggested_value" in line.description
    }


def reason(shown: Any) -> str:
    return str(shown["description_placeholders"]["reason"])


async def is_nowhere(home: Home, secret: str, log: str, shown: Any = None) -> None:
    """Look in all that Home Assistant keeps, shows and writes for what was typed."""
    assert secret not in log
    assert secret not in repr(shown)
    hass = home.hass
    assert secret not in json_dumps(home.entry.as_storage_fragment)
    assert secret not in repr([state.as_dict() for state in hass.states.async_all()])
    assert secret not in repr(hass.config_entries.options.async_progress())
    assert secret not in repr(await async_get_config_entry_diagnostics(hass, home.entry))
    entry_id = home.entry.entry_id
    assert secret not in repr(er.async_entries_for_config_entry(er.async_get(hass), entry_id))
    assert secret not in repr(dr.async_entries_for_config_entry(dr.async_get(hass), entry_id))
    assert dict(home.entry.options) == {}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_provider_of_each_kind_is_told_the_agent_and_kept_nowhere_else(
    home: Home, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    typed, in_other_words = KINDS[kind]
    home.agent.answers["POST /dns/providers"] = Answer(wire_domains.dns_provider(type=kind))
    form = await begin(home, "add_provider", kind)
    assert form["step_id"] == kind
    ended = await fill_in(home, form, {"name": "Mine", "name_servers": ["ns.lan:5353"], **typed})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home) == {
        "name": "Mine",
        "name_servers": ["ns.lan:5353"],
        "settings": {"type": kind, **typed, **in_other_words},
        "verify": True,
    }
    await is_nowhere(home, SECRET, caplog.text, ended)


async def test_a_secret_that_is_refused_is_told_in_the_providers_words_and_nothing_is_left(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    words = "Cloudflare refuses the token: Invalid API Token (1000)."
    home.agent.answers["POST /dns/providers"] = Answer(wire.problem(503, "unavailable", words), 503)
    form = await begin(home, "add_provider", "cloudflare")
    again = await fill_in(home, form, {"name": "Mine", "api_token": SECRET})
    assert (again["type"], again["errors"]) == (FlowResultType.FORM, {"base": "refused"})
    assert reason(again) == words
    assert suggested(again) == {"name": "Mine"}
    await is_nowhere(home, SECRET, caplog.text, again)
    home.agent.answers["POST /dns/providers"] = Answer(wire_domains.dns_provider("mine"))
    ended = await fill_in(home, again, {"name": "Mine", "api_token": "the right one"})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home)["verify"] is True


async def test_a_provider_that_is_away_is_kept_only_where_a_person_says_so(home: Home) -> None:
    away = Answer(wire.problem(503, "unavailable", "It does not answer."), 503)
    home.agent.answers["POST /dns/providers"] = away
    form = await begin(home, "add_provider", "cloudflare")
    assert "without_answer" not in form["data_schema"].schema
    typed = {"name": "Mine", "api_token": SECRET}
    again = await fill_in(home, form, typed)
    again = await fill_in(home, again, typed)
    assert again["errors"] == {"base": "refused"}
    assert "without_answer" in again["data_schema"].schema
    home.agent.answers["POST /dns/providers"] = Answer(
        wire_domains.dns_provider("mine", state="unreachable")
    )
    ended = await fill_in(home, again, {**typed, "without_answer": True})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home)["verify"] is False


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("settings.rfc2136.zones.0", "zones"),
        ("settings.server", "server"),
        ("name_servers.1", "name_servers"),
        ("key", "base"),
    ],
)
async def test_what_is_wrong_is_told_at_the_line_that_it_is_about(
    home: Home, field: str, line: str
) -> None:
    home.agent.answers["POST /dns/providers"] = Answer(
        wire.problem(422, "invalid", "That is no name.", field=field, hint="Write example.org."),
        422,
    )
    form = await begin(home, "add_provider", "rfc2136")
    again = await fill_in(home, form, {"name": "Mine", **KINDS["rfc2136"][0]})
    assert again["errors"] == {line: "refused"}
    assert reason(again) == "That is no name. Write example.org."


async def test_an_option_of_lexicon_that_is_no_pair_is_told_before_the_agent_is(
    home: Home,
) -> None:
    form = await begin(home, "add_provider", "lexicon")
    before = len(home.agent.seen)
    typed = {**KINDS["lexicon"][0], "name": "Mine", "options": [SECRET]}
    again = await fill_in(home, form, typed)
    assert again["errors"] == {"options": "no_option"}
    assert len(home.agent.seen) == before
    assert SECRET not in repr(again)


@pytest.fixture
async def provided(home: Home) -> Home:
    """A home whose agent has a name server, Gandi by lexicon, and one that nobody set up."""
    home.agent.put("dns_provider", "home", wire_domains.dns_provider())
    settings = {"provider": "gandi", "zones": ["example.com"]}
    gandi = wire_domains.dns_provider("gandi", type="lexicon", settings=settings)
    home.agent.put("dns_provider", "gandi", gandi)
    home.agent.put("dns_provider", "invented", wire_domains.dns_provider("invented", type="demo"))
    await home.settled()
    for key in ("home", "gandi"):
        answer = Answer(home.agent.resources["dns_provider", key])
        home.agent.answers[f"PATCH /dns/providers/{key}"] = answer
    return home


async def choose(home: Home, key: str) -> Any:
    """Choose the provider to be changed; return its form."""
    form = await begin(home, "change_provider")
    (line,) = form["data_schema"].schema.values()
    assert [one["value"] for one in line.config["options"]] == ["gandi", "home"]
    return await fill_in(home, form, {"provider": key})


async def test_a_secret_that_is_left_empty_stays_when_a_provider_is_changed(
    provided: Home,
) -> None:
    form = await choose(provided, "home")
    assert suggested(form) == {
        "name": "Home",
        "name_servers": [],
        "server": "192.0.2.53",
        "zones": ["example.org"],
        "key_name": "homelab",
        "key_algorithm": "hmac-sha256",
    }
    typed = suggested(form) | {"name": "House", "server": "192.0.2.54", "key_secret": ""}
    ended = await fill_in(provided, form, typed)
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(provided) == {
        "name": "House",
        "name_servers": [],
        "settings": {
            "type": "rfc2136",
            "server": "192.0.2.54",
            "zones": ["example.org"],
            "key_name": "homelab",
            "key_algorithm": "hmac-sha256",
            "key_secret": STARS,
        },
        "verify": True,
    }


async def test_a_new_secret_is_told_and_one_that_is_wrong_is_told_back(
    provided: Home, caplog: pytest.LogCaptureFixture
) -> None:
    words = "The server refuses the signature: BADSIG."
    provided.agent.answers["PATCH /dns/providers/home"] = Answer(
        wire.problem(503, "unavailable", words), 503
    )
    form = await choose(provided, "home")
    again = await fill_in(provided, form, suggested(form) | {"key_secret": SECRET})
    assert sent(provided)["settings"]["key_secret"] == SECRET
    assert reason(again) == words
    assert provided.agent.count("DELETE", "/dns/providers/home") == 0
    await is_nowhere(provided, SECRET, caplog.text, again)


async def test_a_provider_that_is_only_called_otherwise_keeps_its_settings(provided: Home) -> None:
    form = await choose(provided, "gandi")
    ended = await fill_in(provided, form, suggested(form) | {"name": "Gandi, Paris"})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    (change,) = [one.body for one in provided.agent.seen if one.method == "PATCH"]
    assert change == {"name": "Gandi, Paris", "name_servers": [], "verify": True}


async def test_options_that_nobody_can_read_again_are_not_lost_by_a_change(
    provided: Home,
) -> None:
    form = await choose(provided, "gandi")
    typed = suggested(form) | {"zones": ["example.com", "example.net"]}
    again = await fill_in(provided, form, typed)
    assert again["errors"] == {"options": "options_again"}
    assert not [one for one in provided.agent.seen if one.method == "PATCH"]
    ended = await fill_in(provided, again, {**typed, "options": [f"auth_token={SECRET}"]})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(provided)["settings"] == {
        "type": "lexicon",
        "provider": "gandi",
        "zones": ["example.com", "example.net"],
        "options": {"auth_token": SECRET},
    }


async def test_a_provider_that_went_meanwhile_cannot_be_changed(provided: Home) -> None:
    form = await begin(provided, "change_provider")
    provided.agent.remove("dns_provider", "home")
    await provided.settled()
    ended = await fill_in(provided, form, {"provider": "home"})
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "provider_gone")


async def test_a_provider_is_forgotten_and_one_that_is_needed_is_told(provided: Home) -> None:
    path = "DELETE /dns/providers/home"
    provided.agent.answers[path] = Answer(
        wire.problem(409, "conflict", "A job is at it.", hint="Wait for its end."), 409
    )
    form = await begin(provided, "remove_provider")
    again = await fill_in(provided, form, {"provider": "home"})
    assert (again["errors"], reason(again)) == (
        {"base": "refused"},
        "A job is at it. Wait for its end.",
    )
    provided.agent.answers[path] = Answer({"outcome": "done", "message": "Forgotten."})
    ended = await fill_in(provided, again, {"provider": "home"})
    assert ended["type"] is FlowResultType.CREATE_ENTRY


async def test_a_caddy_of_ones_own_is_used_and_one_that_does_not_answer_is_told(
    home: Home,
) -> None:
    home.agent.answers["PUT /proxy/setup"] = Answer(
        wire.problem(503, "unavailable", "Nothing answers there.", field="admin"), 503
    )
    form = await begin(home, "proxy", "proxy_own")
    typed = {"admin": "http://192.0.2.9:2019", "address": "caddy.lan", "https_port": 8443}
    again = await fill_in(home, form, typed)
    assert (again["errors"], reason(again)) == ({"admin": "refused"}, "Nothing answers there.")
    assert suggested(again) == typed
    home.agent.answers["PUT /proxy/setup"] = Answer({"outcome": "done", "message": "It is used."})
    ended = await fill_in(home, again, typed)
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home) == {"mode": "own", "wait_s": 0, **typed}


@pytest.mark.parametrize(
    ("step", "set_up", "unasked"),
    [
        ("proxy_own", {"admin": "http://192.0.2.9:2019"}, {}),
        (
            "proxy_own",
            {"admin": "unix//run/caddy.sock", "address": "caddy.lan", "https_port": 8443},
            {},
        ),
        (
            "proxy_managed",
            {"http_port": 8080, "https_port": 8443, "image": "caddy:2.11"},
            {"address": "192.0.2.7"},
        ),
    ],
)
async def test_a_caddy_that_is_set_up_is_shown_as_it_is_and_saved_unchanged_it_stays_so(
    home: Home, step: str, set_up: dict[str, Any], unasked: dict[str, Any]
) -> None:
    mode = step.removeprefix("proxy_")
    home.agent.put("proxy", "caddy", wire_domains.proxy(mode=mode, **set_up, **unasked))
    await home.settled()
    home.agent.answers["PUT /proxy/setup"] = Answer({"outcome": "not_needed", "message": "So."})
    form = await begin(home, "proxy", step)
    assert suggested(form) == set_up
    ended = await fill_in(home, form, suggested(form))
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home) == {"mode": mode, "wait_s": 0, **set_up, **unasked}


async def test_another_kind_of_caddy_than_the_one_in_use_is_asked_for_anew(home: Home) -> None:
    home.agent.put("proxy", "caddy", wire_domains.proxy(https_port=8443))
    await home.settled()
    assert suggested(await begin(home, "proxy", "proxy_managed")) == {}


async def test_no_proxy_is_used_any_more_unless_it_serves_something(home: Home) -> None:
    home.agent.answers["PUT /proxy/setup"] = Answer(
        wire.problem(409, "conflict", "There are 2 routes in it.", field="mode"), 409
    )
    form = await begin(home, "proxy", "proxy_none")
    again = await fill_in(home, form, {})
    assert (again["errors"], reason(again)) == ({"base": "refused"}, "There are 2 routes in it.")
    assert sent(home) == {"mode": "none", "wait_s": 0}


SETUP = "proxy.run"


async def begin_managed(home: Home) -> Any:
    """Have the agent run a Caddy, which takes a while; return what is shown."""
    job = home.agent.put_job(SETUP, "proxy:caddy")
    await home.settled()
    home.agent.answers["PUT /proxy/setup"] = Answer(
        {"outcome": None, "message": "Going on.", "job": job}, 202
    )
    form = await begin(home, "proxy", "proxy_managed")
    shown = await fill_in(home, form, {"http_port": 80, "https_port": 443})
    assert sent(home) == {"mode": "managed", "http_port": 80, "https_port": 443, "wait_s": 0}
    return shown


async def test_a_caddy_that_takes_minutes_to_come_holds_no_form_up(home: Home) -> None:
    shown = await begin_managed(home)
    assert (shown["type"], shown["progress_action"]) == (FlowResultType.SHOW_PROGRESS, "working")
    assert shown["step_id"] == "working"
    await home.settled()
    (flow,) = home.hass.config_entries.options.async_progress()
    assert flow["step_id"] == "working"
    home.agent.end_job(SETUP, "proxy:caddy", "done")
    ended = await once_it_ended(home, shown)
    assert ended["type"] is FlowResultType.CREATE_ENTRY


async def once_it_ended(home: Home, shown: Any) -> Any:
    """Wait for the end of what the agent is at, as the browser does; return what is shown then."""
    flows = home.hass.config_entries.options

    def is_over() -> bool:
        return bool(flows.async_progress()[0]["step_id"] != "working")

    await until(is_over, "the end")
    return await flows.async_configure(shown["flow_id"])


async def test_a_caddy_that_does_not_come_is_told_with_what_was_filled_in(home: Home) -> None:
    shown = await begin_managed(home)
    error = {"code": "failed", "message": "Port 443 is taken.", "hint": "Choose another."}
    home.agent.end_job(SETUP, "proxy:caddy", "undone", error=error)
    again = await once_it_ended(home, shown)
    assert (again["step_id"], again["errors"]) == ("proxy_managed", {"base": "refused"})
    assert "Port 443 is taken. Choose another." in reason(again)
    assert suggested(again) == {"http_port": 80, "https_port": 443}
    home.agent.answers["PUT /proxy/setup"] = Answer({"outcome": "done", "message": "It runs."})
    ended = await fill_in(home, again, {"http_port": 80, "https_port": 8443})
    assert ended["type"] is FlowResultType.CREATE_ENTRY


async def test_a_failure_that_nobody_waits_for_any_more_leaves_no_error_in_the_log(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    shown = await begin_managed(home)
    flows = home.hass.config_entries.options
    home.agent.end_job(
        SETUP, "proxy:caddy", "undone", error={"code": "failed", "message": "Port 443 is taken."}
    )
    await until(lambda: flows.async_progress()[0]["step_id"] != "working", "the end")
    flows.async_abort(shown["flow_id"])
    await home.hass.async_block_till_done()
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_the_authority_is_shown_as_it_is_and_chosen_anew(home: Home) -> None:
    form = await begin(home, "authority")
    assert suggested(form) == {}
    home.agent.put("acme_account", "acme", wire_domains.acme_account(email="me@example.org"))
    await home.settled()
    form = await begin(home, "authority")
    typed = {
        "directory": "https://acme-v02.api.letsencrypt.org/directory",
        "email": "me@example.org",
        "terms_agreed": True,
    }
    assert suggested(form) == typed
    home.agent.answers["PUT /acme/account"] = Answer(
        wire.problem(422, "invalid", "That is no address.", field="directory"), 422
    )
    typed["directory"] = "https://ca.lan/directory"
    typed["external_key_id"] = "k-1"
    again = await fill_in(home, form, {**typed, "external_hmac_key": "c2VjcmV0"})
    assert again["errors"] == {"directory": "refused"}
    assert suggested(again) == {**typed, "external_hmac_key": ""}
    home.agent.answers["PUT /acme/account"] = Answer(wire_domains.acme_account())
    more = {"authority_pem": "PEM", "external_hmac_key": "c2VjcmV0"}
    ended = await fill_in(home, again, typed | more)
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home) == typed | more


async def test_a_key_is_not_sent_back_and_is_nowhere_but_at_the_agent(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    home.agent.answers["POST /managed-certificates/upload"] = Answer(
        wire.problem(422, "invalid", "The key does not fit.", field="key_pem"), 422
    )
    form = await begin(home, "upload")
    typed = {"certificate_pem": "CERT", "key_pem": KEY_PEM, "caddy": True}
    again = await fill_in(home, form, typed)
    assert again["errors"] == {"key_pem": "refused"}
    assert suggested(again) == {"certificate_pem": "CERT", "key_pem": "", "caddy": True}
    await is_nowhere(home, SECRET, caplog.text, again)
    home.agent.answers["POST /managed-certificates/upload"] = Answer(
        {"outcome": "refused", "message": "Caddy does not take it."}
    )
    again = await fill_in(home, again, typed)
    assert reason(again) == "Caddy does not take it."
    home.agent.answers["POST /managed-certificates/upload"] = Answer(
        {"outcome": "done", "message": "Kept."}
    )
    ended = await fill_in(home, again, typed)
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home) == {
        "certificate_pem": "CERT",
        "key_pem": KEY_PEM,
        "hand_over": {"caddy": True},
    }
    await is_nowhere(home, SECRET, caplog.text, ended)


def user(name: str, password: str) -> dict[str, str]:
    return {"username": name, "password": password}


@pytest.fixture
async def website(home: Home) -> Home:
    """A home whose proxy serves photos."""
    home.agent.put("proxy_route", PHOTOS, wire_domains.proxy_route(users=["me"]))
    await home.settled()
    home.agent.answers[f"PUT /proxy/routes/{PHOTOS}"] = Answer({"outcome": "done", "message": ""})
    return home


async def test_the_passwords_of_a_website_are_told_with_its_route_as_it_is(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    assert "users" not in (await begin(home))["menu_options"]
    options = wire_domains.route_options(hsts_s=60, allow=["192.168.1.0/24"])
    route = wire_domains.proxy_route(aliases=["foto.example.org"], options=options)
    home.agent.put("proxy_route", PHOTOS, route)
    await home.settled()
    home.agent.answers[f"PUT /proxy/routes/{PHOTOS}"] = Answer({"outcome": "done", "message": ""})
    users = [user("me", f"{SECRET}:x"), user("you", " 12345678")]
    form = await begin(home, "users")
    ended = await fill_in(home, form, {"website": PHOTOS, "users": users})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(home) == {
        "upstreams": ["192.0.2.10:8080"],
        "aliases": ["foto.example.org"],
        "certificate": "caddy",
        "options": {name: value for name, value in options.items() if value is not None},
        "basic_auth": users,
        "wait_s": 0,
    }
    await is_nowhere(home, SECRET, caplog.text, ended)


async def test_who_comes_in_now_is_seen_before_others_take_their_place(website: Home) -> None:
    other = "tools.example.org"
    website.agent.put("proxy_route", other, wire_domains.proxy_route(other))
    await website.settled()
    form = await begin(website, "users")
    (line,) = (it for name, it in form["data_schema"].schema.items() if str(name) == "website")
    assert [one["label"] for one in line.config["options"]] == [f"{PHOTOS} (me)", other]


async def test_after_a_mistake_no_login_is_lost_and_no_password_is_sent_back(
    website: Home, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"PUT /proxy/routes/{PHOTOS}"
    said, line = "The password of you has to have 8 to 72 characters.", "basic_auth.1.password"
    short = wire.problem(422, "invalid", f"{line}: {said}", field=line)
    website.agent.answers[path] = Answer(short, 422)
    form = await begin(website, "users")
    typed = {"website": PHOTOS, "users": [user("me", SECRET), user("you", "short")]}
    again = await fill_in(website, form, typed)
    assert (again["errors"], reason(again)) == ({"users": "refused"}, said)
    named = {"website": PHOTOS, "users": [{"username": "me"}, {"username": "you"}]}
    assert suggested(again) == {**named, "remove_all": False}
    await is_nowhere(website, SECRET, caplog.text, again)
    website.agent.answers[path] = Answer({"outcome": "done", "message": ""})
    before = website.agent.count("PUT", f"/proxy/routes/{PHOTOS}")
    again = await fill_in(website, again, suggested(again))
    assert again["errors"] == {"users": "no_password"}
    assert suggested(again) == {**named, "remove_all": False}
    assert website.agent.count("PUT", f"/proxy/routes/{PHOTOS}") == before


@pytest.mark.parametrize("empty", [{}, {"users": []}])
async def test_nobody_lets_everybody_in_by_an_empty_form(
    website: Home, empty: dict[str, Any]
) -> None:
    form = await begin(website, "users")
    again = await fill_in(website, form, {"website": PHOTOS, **empty})
    assert again["errors"] == {"users": "no_users"}
    assert website.agent.count("PUT", f"/proxy/routes/{PHOTOS}") == 0
    ended = await fill_in(website, again, {"website": PHOTOS, "remove_all": True})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert sent(website)["basic_auth"] == []


async def test_users_are_neither_kept_nor_removed_where_both_is_chosen(website: Home) -> None:
    form = await begin(website, "users")
    typed = {"website": PHOTOS, "users": [user("me", SECRET)], "remove_all": True}
    again = await fill_in(website, form, typed)
    assert again["errors"] == {"remove_all": "users_or_none"}
    assert website.agent.count("PUT", f"/proxy/routes/{PHOTOS}") == 0


async def test_passwords_for_a_website_that_is_gone_are_told_to_nobody(website: Home) -> None:
    form = await begin(website, "users")
    website.agent.remove("proxy_route", PHOTOS)
    await website.settled()
    ended = await fill_in(website, form, {"website": PHOTOS, "users": [user("me", SECRET)]})
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "website_gone")


async def test_nothing_can_be_entered_while_the_agent_is_away(home: Home) -> None:
    form = await begin(home, "add_provider", "cloudflare")
    await home.agent.stop()
    again = await fill_in(home, form, {"name": "Mine", "api_token": SECRET})
    assert again["errors"] == {"base": "refused"}
    assert reason(again)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    ended = await fill_in(home, again, {"name": "Mine", "api_token": SECRET})
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "not_connected")
    ended = await begin(home)
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "not_connected")


async def test_the_browser_is_shown_every_form(
    provided: Home, hass_client: ClientSessionGenerator
) -> None:
    """What a form is made of can be sent, and no secret is shown while it is typed."""
    provided.agent.put("proxy_route", PHOTOS, wire_domains.proxy_route())
    await provided.settled()
    assert await async_setup_component(provided.hass, "config", {})
    browser = await hass_client()
    paths = [
        *(("add_provider", kind) for kind in KINDS),
        ("change_provider",),
        ("remove_provider",),
        *(("proxy", step) for step in ("proxy_own", "proxy_managed", "proxy_none")),
        ("authority",),
        ("upload",),
        ("users",),
    ]
    root = "/api/config/config_entries/options/flow"
    for path in paths:
        response = await browser.post(root, json={"handler": provided.entry.entry_id})
        shown = await response.json()
        for step in path:
            response = await browser.post(f"{root}/{shown['flow_id']}", json={"next_step_id": step})
            assert response.status == 200, path
            shown = await response.json()
        assert (shown["type"], shown["step_id"]) == ("form", path[-1])
        for line in shown["data_schema"]:
            if line["name"] in SECRET_LINES:
                assert line["selector"]["text"]["type"] == "password", line
            if line["name"] == "users":
                password = line["selector"]["object"]["fields"]["password"]
                assert password["selector"]["text"]["type"] == "password", line
