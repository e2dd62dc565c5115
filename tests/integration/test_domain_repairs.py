"""The repairs around domains: what somebody has to mend, mended from Home Assistant."""

import json
from typing import Any

import pytest
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from custom_components.homelab import issues
from custom_components.homelab.const import DOMAIN
from custom_components.homelab.issue_board import MOST
from tests.fakes import wire, wire_domains
from tests.fakes.agent_server import Answer
from tests.fakes.wire_domains import PHOTOS
from tests.integration.fixing import appears, fix, is_said, is_told, shown, vanishes
from tests.integration.home import Home

pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.AppKey")

SECRET = "a-new-and-very-secret-key"
DONE = Answer({"outcome": "done", "message": "Done.", "job": None})
DENIED = Answer(wire.problem(403, "denied", "This needs the scope admin."), 403)


@pytest.fixture
async def home(home: Home) -> Home:
    """A home with Home Assistant's repairs."""
    assert await async_setup_component(home.hass, "repairs", {})
    return home


def provider(home: Home, key: str = "home", **changes: Any) -> None:
    home.agent.put("dns_provider", key, wire_domains.dns_provider(key, **changes))


def managed(home: Home, key: str = PHOTOS, **changes: Any) -> None:
    home.agent.put("managed_certificate", key, wire_domains.managed_certificate(key, **changes))


def route(home: Home, host: str = PHOTOS, **changes: Any) -> None:
    home.agent.put("proxy_route", host, wire_domains.proxy_route(host, **changes))


def raise_it(home: Home, issue: str) -> None:
    """Let what an issue is about go wrong."""
    match issue:
        case issues.PROVIDER_REFUSED:
            provider(home, state="refused", reason="Bad key.")
        case issues.SECRET_UNREADABLE:
            provider(home, state="secret_unreadable", reason="Another key file.")
        case issues.RENEWAL_FAILED:
            managed(home, state="failing", failure=wire_domains.failure())
        case issues.ROUTE_LOST:
            route(home, state="drifted", difference=["handle: `other`"])
        case issues.PROXY_FORGETS:
            proxy = wire_domains.proxy(survives_restart=False, warning="It has a Caddyfile.")
            home.agent.put("proxy", "caddy", proxy)
        case issues.ACME_TERMS:
            managed(home, state="none")
            home.agent.put("acme_account", "acme", wire_domains.acme_account(terms_agreed=False))


def mend_it(home: Home, issue: str) -> None:
    """Let it be well again."""
    match issue:
        case issues.PROVIDER_REFUSED | issues.SECRET_UNREADABLE:
            provider(home)
        case issues.RENEWAL_FAILED:
            managed(home)
        case issues.ROUTE_LOST:
            route(home)
        case issues.PROXY_FORGETS:
            home.agent.put("proxy", "caddy", wire_domains.proxy())
        case issues.ACME_TERMS:
            home.agent.put("acme_account", "acme", wire_domains.acme_account())


SAYS = {
    issues.PROVIDER_REFUSED: {"provider": "Home", "reason": "Bad key."},
    issues.SECRET_UNREADABLE: {"provider": "Home", "reason": "Another key file."},
    issues.RENEWAL_FAILED: {
        "certificate": PHOTOS,
        "step": "validation",
        "reason": "DNS problem: NXDOMAIN looking up TXT",
        "days": "89",
    },
    issues.ROUTE_LOST: {"host": PHOTOS, "difference": "- handle: 'other'"},
    issues.PROXY_FORGETS: {"warning": "It has a Caddyfile."},
    issues.ACME_TERMS: {"terms": "https://letsencrypt.org/documents/terms.pdf"},
}


@pytest.mark.parametrize("issue", SAYS)
async def test_what_stays_wrong_is_told_in_words_and_gone_with_its_cause(
    home: Home, issue: str
) -> None:
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    await is_told(home, issue_id)
    found = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
    assert found is not None
    told = found.translation_placeholders or {}
    assert {name: told[name] for name in SAYS[issue]} == SAYS[issue]
    mend_it(home, issue)
    await vanishes(home, issue)


@pytest.mark.parametrize("issue", SAYS)
async def test_what_was_wrong_already_is_told_after_a_restart(home: Home, issue: str) -> None:
    raise_it(home, issue)
    await appears(home, issue)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await appears(home, issue)


@pytest.mark.parametrize("issue", [*issues.OF_DOMAINS])
async def test_what_is_gone_needs_no_mending(home: Home, issue: str) -> None:
    raise_it(home, issue)
    await appears(home, issue)
    for kind, key in list(home.agent.resources):
        if kind in {"dns_provider", "managed_certificate", "proxy_route"}:
            home.agent.remove(kind, key)
    await vanishes(home, issue)


async def test_too_many_of_a_kind_are_one(home: Home) -> None:
    for number in range(MOST + 1):
        route(home, f"r{number}.example.org", state="missing")
    issue_id = await appears(home, f"{issues.ROUTE_LOST}_many")
    await is_told(home, issue_id)
    assert not shown(home, issues.ROUTE_LOST)


async def test_hundreds_of_a_kind_are_counted_and_some_named(home: Home) -> None:
    for number in range(100, 300):
        route(home, f"r{number}.example.org", state="missing")
    await home.settled()
    issue_id = await appears(home, f"{issues.ROUTE_LOST}_many")
    found = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
    assert found is not None
    told = found.translation_placeholders or {}
    assert told["count"] == "200"
    assert told["names"].startswith("r100.example.org, r101.example.org, ")
    assert told["names"].endswith("r109.example.org, …")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "failing", "failure": wire_domains.failure(attempts=1)}, False),
        ({"state": "failing", "failure": wire_domains.failure(attempts=2)}, True),
        ({"state": "expired", "failure": wire_domains.failure(attempts=1)}, True),
        ({"state": "none", "failure": wire_domains.failure(attempts=1)}, True),
    ],
)
async def test_a_renewal_that_may_still_succeed_in_time_is_nobodys_work(
    home: Home, changes: dict[str, Any], *, told: bool
) -> None:
    managed(home, **changes)
    await home.settled()
    assert bool(shown(home, issues.RENEWAL_FAILED)) is told


@pytest.mark.parametrize(
    ("issue", "away"),
    [
        (issues.PROVIDER_REFUSED, "unreachable"),
        (issues.PROVIDER_REFUSED, "unknown"),
        (issues.PROVIDER_REFUSED, "rate_limited"),
        (issues.RENEWAL_FAILED, "renewing"),
        (issues.ROUTE_LOST, "unknown"),
    ],
)
async def test_what_was_put_aside_does_not_come_again_because_of_a_moment_of_silence(
    home: Home, issue: str, away: str
) -> None:
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    assert (await fix(home, issue_id, "ignore"))["reason"] == "ignored"
    for (kind, key), found in list(home.agent.resources.items()):
        if kind in {"dns_provider", "managed_certificate", "proxy_route"}:
            home.agent.put(kind, key, found | {"state": away, "failure": None})
    await home.settled()
    raise_it(home, issue)
    await home.settled()
    assert not shown(home, issue)
    mend_it(home, issue)
    await home.settled()
    raise_it(home, issue)
    await appears(home, issue)


async def test_a_renewal_that_was_begun_and_fails_after_all_is_told_again(home: Home) -> None:
    raise_it(home, issues.RENEWAL_FAILED)
    issue_id = await appears(home, issues.RENEWAL_FAILED)
    home.agent.answers[f"POST /managed-certificates/{PHOTOS}/renew"] = DONE
    assert (await fix(home, issue_id, "renew"))["type"] == "create_entry"
    managed(home, state="renewing", failure=wire_domains.failure())
    await home.settled()
    assert not shown(home, issues.RENEWAL_FAILED)
    raise_it(home, issues.RENEWAL_FAILED)
    await appears(home, issues.RENEWAL_FAILED)


async def test_an_outage_of_a_domain_is_no_repair(home: Home) -> None:
    home.agent.put("domain", PHOTOS, wire_domains.domain(status="unhealthy", reason="Down."))
    await home.becomes("binary_sensor", f"domain:{PHOTOS}:problem", "on")
    assert not [one for one in ir.async_get(home.hass).issues if one[0] == DOMAIN]


async def test_terms_are_asked_for_only_where_somebody_orders(home: Home) -> None:
    home.agent.put("acme_account", "acme", wire_domains.acme_account(terms_agreed=False))
    managed(home, origin="uploaded")
    await home.settled()
    assert not shown(home, issues.ACME_TERMS)


async def test_a_proxy_that_nobody_uses_is_no_repair(home: Home) -> None:
    unused = wire_domains.proxy(mode="none", survives_restart=False)
    home.agent.put("proxy", "caddy", unused)
    await home.settled()
    assert not shown(home, issues.PROXY_FORGETS)


async def give(home: Home, issue_id: str, *secrets: str) -> Any:
    """Go to the form for the secret and fill it in, once for each; return the last step."""
    manager = repairs_flow_manager(home.hass)
    assert manager is not None
    step = await fix(home, issue_id, "secret")
    for secret in secrets:
        step = await manager.async_configure(step["flow_id"], {"secret": secret})
        await is_said(home, issue_id, step)
    return step


@pytest.mark.parametrize("issue", [issues.PROVIDER_REFUSED, issues.SECRET_UNREADABLE])
async def test_a_new_secret_goes_to_the_agent_and_nowhere_else(
    home: Home, issue: str, hass_storage: dict[str, Any]
) -> None:
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    well = Answer(wire_domains.dns_provider())
    home.agent.answers["PATCH /dns/providers/home"] = well
    assert (await give(home, issue_id, SECRET))["type"] == "create_entry"
    (sent,) = [one.body for one in home.agent.seen if one.method == "PATCH"]
    assert sent == {
        "settings": {
            "type": "rfc2136",
            "server": "192.0.2.53",
            "key_name": "homelab",
            "key_algorithm": "hmac-sha256",
            "zones": ["example.org"],
            "key_secret": SECRET,
        },
        "verify": True,
    }
    await home.hass.async_block_till_done()
    everywhere = [
        json.dumps([state.as_dict() for state in home.hass.states.async_all()], default=str),
        json.dumps(hass_storage, default=str),
        json.dumps(home.entry.as_dict(), default=str),
        repr(ir.async_get(home.hass).issues),
    ]
    assert [one for one in everywhere if SECRET in one] == []


async def test_a_secret_that_is_refused_too_is_asked_for_again(home: Home) -> None:
    raise_it(home, issues.PROVIDER_REFUSED)
    issue_id = await appears(home, issues.PROVIDER_REFUSED)
    refused = Answer(wire.problem(503, "unavailable", "Bad signature.", hint="Nothing."), 503)
    home.agent.answers["PATCH /dns/providers/home"] = refused
    step = await give(home, issue_id, "wrong")
    assert (step["type"], step["errors"]) == ("form", {"base": "refused"})
    assert step["description_placeholders"]["error"] == "Bad signature."
    short = Answer(wire.problem(422, "invalid", "That is too short.", field="key_secret"), 422)
    home.agent.answers["PATCH /dns/providers/home"] = short
    step = await give(home, issue_id, "x")
    assert step["description_placeholders"]["error"] == "That is too short."


async def test_a_token_that_may_not_do_it_is_told(home: Home) -> None:
    raise_it(home, issues.PROVIDER_REFUSED)
    issue_id = await appears(home, issues.PROVIDER_REFUSED)
    home.agent.answers["PATCH /dns/providers/home"] = DENIED
    step = await give(home, issue_id, SECRET)
    assert (step["type"], step["reason"]) == ("abort", "failed")
    assert "scope admin" in step["description_placeholders"]["error"]


async def test_a_provider_with_several_secrets_is_set_up_anew(home: Home) -> None:
    provider(home, type="lexicon", state="refused")
    issue_id = await appears(home, issues.PROVIDER_REFUSED)
    step = await fix(home, issue_id, "secret")
    assert (step["type"], step["reason"]) == ("abort", "set_up_anew")


FIXES = {
    issues.RENEWAL_FAILED: ("renew", "POST", f"/managed-certificates/{PHOTOS}/renew"),
    issues.ROUTE_LOST: ("put_back", "POST", f"/proxy/routes/{PHOTOS}/apply"),
    issues.ACME_TERMS: ("agree", "PUT", "/acme/account"),
}


@pytest.mark.parametrize("issue", FIXES)
async def test_one_press_mends_it(home: Home, issue: str) -> None:
    choice, method, path = FIXES[issue]
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    account = Answer(wire_domains.acme_account())
    home.agent.answers[f"{method} {path}"] = account if choice == "agree" else DONE
    assert (await fix(home, issue_id, choice))["type"] == "create_entry"
    assert home.agent.count(method, path) == 1


@pytest.mark.parametrize("issue", FIXES)
async def test_what_cannot_be_mended_is_told_with_the_reason(home: Home, issue: str) -> None:
    choice, method, path = FIXES[issue]
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    refusal = wire.problem(503, "unavailable", "It is away.", hint="Start it.")
    home.agent.answers[f"{method} {path}"] = Answer(refusal, 503)
    step = await fix(home, issue_id, choice)
    assert (step["type"], step["reason"]) == ("abort", "failed")
    assert "It is away. Start it." in step["description_placeholders"]["error"]


@pytest.mark.parametrize(
    ("issue", "choice"),
    [(issues.PROVIDER_REFUSED, "secret"), *((issue, fix[0]) for issue, fix in FIXES.items())],
)
async def test_nothing_can_be_mended_while_the_host_is_not_set_up(
    home: Home, issue: str, choice: str
) -> None:
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    manager = repairs_flow_manager(home.hass)
    assert manager is not None
    step = await fix(home, issue_id)
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    ended = await manager.async_configure(step["flow_id"], {"next_step_id": choice})
    assert (ended["type"], ended["reason"]) == ("abort", "not_connected")


async def test_the_terms_of_ones_own_authority_are_agreed_to_where_it_is_set_up(home: Home) -> None:
    managed(home, state="none")
    own = wire_domains.acme_account(directory="https://ca.example/dir", terms_agreed=False)
    home.agent.put("acme_account", "acme", own)
    issue_id = await appears(home, issues.ACME_TERMS)
    step = await fix(home, issue_id, "agree")
    assert (step["type"], step["reason"]) == ("abort", "in_options")


@pytest.mark.parametrize("reach", ["unknown", "away"])
async def test_a_proxy_that_forgets_stays_ignored_over_a_restart_of_the_agent(
    home: Home, reach: str
) -> None:
    raise_it(home, issues.PROXY_FORGETS)
    issue_id = await appears(home, issues.PROXY_FORGETS)
    ir.async_ignore_issue(home.hass, DOMAIN, issue_id, ignore=True)
    not_known = wire_domains.proxy(reach=reach, survives_restart=None, warning=None)
    home.agent.put("proxy", "caddy", not_known)
    await home.settled()
    raise_it(home, issues.PROXY_FORGETS)
    await home.settled()
    assert not shown(home, issues.PROXY_FORGETS)


async def test_a_proxy_of_which_it_cannot_be_known_forgets_nothing(home: Home) -> None:
    raise_it(home, issues.PROXY_FORGETS)
    await appears(home, issues.PROXY_FORGETS)
    home.agent.put("proxy", "caddy", wire_domains.proxy(reach="ok", survives_restart=None))
    await vanishes(home, issues.PROXY_FORGETS)


@pytest.mark.parametrize("issue", [*issues.OF_DOMAINS])
async def test_what_is_ignored_stays_so(home: Home, issue: str) -> None:
    raise_it(home, issue)
    issue_id = await appears(home, issue)
    assert (await fix(home, issue_id, "ignore"))["reason"] == "ignored"
    assert not shown(home, issue)
