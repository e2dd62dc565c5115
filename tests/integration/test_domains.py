"""Domains, dynamic addresses, kept certificates and the proxy: what of them is on which page."""

from typing import Any

import pytest
from homeassistant.core import State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from tests.fakes import wire, wire_domains, wire_services
from tests.fakes.agent_server import Answer
from tests.fakes.wire_domains import PHOTOS
from tests.integration.home import Home, device_of, name, until

DOMAIN = f"domain:{PHOTOS}"
HOME_NAME = "home.example.org"
DYNAMIC = f"dynamic_address:{HOME_NAME}"
MANAGED = f"managed_certificate:{PHOTOS}"
PROXY = "proxy:caddy"


def put(home: Home, name: str = PHOTOS, **changes: Any) -> None:
    """Let the agent look after a domain, or in another way than before."""
    home.agent.put("domain", name, wire_domains.domain(name, **changes))


def put_address(home: Home, name: str = HOME_NAME, **changes: Any) -> None:
    """Let a name follow an address."""
    home.agent.put("dynamic_address", name, wire_domains.dynamic_address(name, **changes))


def put_managed(home: Home, key: str = PHOTOS, **changes: Any) -> None:
    """Let the agent keep a certificate."""
    found = wire_domains.managed_certificate(key, **changes)
    home.agent.put("managed_certificate", key, found)


@pytest.fixture
async def photos(home: Home) -> Home:
    """A home whose agent looks after photos.example.org."""
    put(home)
    await home.becomes("binary_sensor", f"{DOMAIN}:problem", "off")
    return home


async def enable(home: Home, platform: str, *keys: str) -> None:
    """Turn entities on that are off for new things."""
    registry = er.async_get(home.hass)
    for key in keys:
        registry.async_update_entity(home.entity_id(platform, key), disabled_by=None)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.hass.async_block_till_done()


async def test_a_domain_has_a_page_below_its_host_that_leads_to_its_own(photos: Home) -> None:
    host, domain = photos.device(), photos.device(DOMAIN)
    assert host is not None
    assert domain is not None
    assert domain.via_device_id == host.id
    assert (domain.name, domain.model, domain.manufacturer) == (PHOTOS, "Domain", "Homelab")
    assert domain.configuration_url == f"https://{PHOTOS}"
    assert name(photos, "binary_sensor", f"{DOMAIN}:problem") == f"{PHOTOS} Problem"


@pytest.mark.parametrize(
    ("domain", "changes"), [(PHOTOS, {"service_type": "mail"}), ("*.example.org", {})]
)
async def test_only_what_a_browser_can_open_is_led_to(
    home: Home, domain: str, changes: dict[str, Any]
) -> None:
    put(home, domain, **changes)
    await home.becomes("binary_sensor", f"domain:{domain}:problem", "off")
    device = home.device(f"domain:{domain}")
    assert device is not None
    assert device.configuration_url is None


async def test_a_domain_that_becomes_a_page_is_led_to_from_then_on(home: Home) -> None:
    put(home, service_type="other")
    await home.becomes("binary_sensor", f"{DOMAIN}:problem", "off")
    put(home, service_type="web")

    def address() -> str | None:
        device = home.device(DOMAIN)
        return device.configuration_url if device else None

    await until(address, "the address")
    days_left = f"{DOMAIN}:domain_certificate_days_left"
    await until(lambda: home.has("sensor", days_left), "what only a page has")
    await home.becomes("sensor", f"{DOMAIN}:provisioning", "idle")


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("healthy", "off"),
        ("degraded", "on"),
        ("unhealthy", "on"),
        ("pending", "unknown"),
        ("changing", "unknown"),
        ("paused", "unknown"),
        ("unknown", "unknown"),
        ("dreaming", "unknown"),
    ],
)
async def test_each_status_is_shown_for_what_it_is(photos: Home, status: str, problem: str) -> None:
    await enable(photos, "sensor", f"{DOMAIN}:domain_status")
    put(photos, status=status, reason="So it is.")
    await photos.settled()
    found = photos.state("binary_sensor", f"{DOMAIN}:problem")
    assert (found.state, found.attributes["reason"]) == (problem, "So it is.")
    shown = "unknown" if status == "dreaming" else status
    assert photos.state("sensor", f"{DOMAIN}:domain_status").state == shown


async def test_a_page_says_where_a_domain_leads_and_how_long_its_certificate_is_good(
    photos: Home,
) -> None:
    await enable(
        photos, "sensor", f"{DOMAIN}:domain_certificate_days_left", f"{DOMAIN}:domain_changed_at"
    )

    def shown(key: str) -> str:
        return photos.state("sensor", f"{DOMAIN}:{key}").state

    assert shown("domain_address") == "203.0.113.7"
    assert shown("domain_certificate_expires_at") == "2127-02-18T08:00:00+00:00"
    assert shown("domain_certificate_days_left") == "89"
    assert shown("domain_changed_at") == "2026-11-20T08:00:00+00:00"
    put(photos, addresses=["203.0.113.8", "2001:db8::8"])
    await photos.becomes("sensor", f"{DOMAIN}:domain_address", "203.0.113.8, 2001:db8::8")
    put(photos, addresses=[f"2001:db8:1234:5678:9abc:def0:1234:{n:x}" for n in range(100)])
    await until(lambda: shown("domain_address").endswith(" …"), "the list")
    assert len(shown("domain_address")) <= 255
    put(photos, addresses=[], certificate_expires_at=None)
    await photos.becomes("sensor", f"{DOMAIN}:domain_address", "unknown")
    assert shown("domain_certificate_expires_at") == "unknown"


async def test_few_entities_of_a_domain_are_on_at_once(home: Home) -> None:
    put(home)
    put(home, "mail.example.org", service_type="mail")
    text = {"name": "t.example.org", "type": "TXT", "values": ["x"], "ttl_s": None}
    put(home, "t.example.org", service_type="verification", records=[text])
    put(home, "shop.example.org", proxy_state="ok", provisioned=True)
    await home.becomes("sensor", "domain:shop.example.org:domain_proxy", "ok")
    on = {
        entry.unique_id.removeprefix(f"{home.agent.info['instance_id']}:")
        for entry in er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
        if entry.disabled_by is None and ":domain:" in entry.unique_id
    }
    of_all = {"problem", "domain_address", "event", "check_domain"}
    of_pages = {"domain_certificate_expires_at", "provisioning", "restore_route"}
    assert on == {
        *(f"{DOMAIN}:{key}" for key in of_all | of_pages),
        *(f"domain:mail.example.org:{key}" for key in of_all),
        *(f"domain:t.example.org:{key}" for key in of_all - {"domain_address"}),
        *(f"domain:shop.example.org:{key}" for key in of_all | of_pages | {"domain_proxy"}),
    }


async def test_provisioning_is_seen_step_by_step_while_it_goes_on(photos: Home) -> None:
    def shown() -> State:
        return photos.state("sensor", f"{DOMAIN}:provisioning")

    assert shown().state == "idle"
    job = wire_domains.provisioning(at="validate")
    photos.agent.put("job", job["id"], job)
    put(photos, status="changing", job_id=job["id"])
    await photos.becomes("sensor", f"{DOMAIN}:provisioning", "validate")
    for step, progress in (("dns_apply", 25), ("propagation", 38), ("https_health", 88)):
        at = wire_domains.provisioning(at=step, message="1 of 2 name servers have it.")
        photos.agent.put("job", job["id"], at)
        await photos.becomes("sensor", f"{DOMAIN}:provisioning", step)
        assert shown().attributes["progress"] == progress
        assert shown().attributes["action"] == "provision"
        assert shown().attributes["message"] == "1 of 2 name servers have it."
    photos.agent.put("job", job["id"], job | {"state": "finished", "outcome": "done"})
    await photos.becomes("sensor", f"{DOMAIN}:provisioning", "idle")
    assert shown().attributes["progress"] is None
    put(photos, job_id=None)
    await photos.settled()
    assert shown().state == "idle"


async def test_what_is_taken_back_is_seen_too(photos: Home) -> None:
    steps = [
        {"name": "validate", "state": "done"},
        {"name": "dns_apply", "state": "undoing"},
        {"name": "propagation", "state": "failed"},
    ]
    job = wire.job("provisioning.provision", f"domain:{PHOTOS}", state="undoing", steps=steps)
    photos.agent.put("job", job["id"], job)
    put(photos, job_id=job["id"])
    await photos.becomes("sensor", f"{DOMAIN}:provisioning", "dns_apply")
    attributes = photos.state("sensor", f"{DOMAIN}:provisioning").attributes
    assert attributes["undoing"] is True
    odd = [{"name": "step-of-a-newer-agent", "state": "doing"}]
    photos.agent.put("job", job["id"], job | {"steps": odd})
    await photos.becomes("sensor", f"{DOMAIN}:provisioning", "idle")


async def test_a_new_name_is_seen_on_the_page_of_its_host_while_it_has_none(home: Home) -> None:
    home.agent.put("acme_account", "acme", wire_domains.acme_account(registered=False))
    await home.becomes("sensor", "provisioning", "idle")
    job = wire_domains.provisioning("new.example.org", at="certificate")
    home.agent.put("job", job["id"], job)
    await home.becomes("sensor", "provisioning", "certificate")
    attributes = home.state("sensor", "provisioning").attributes
    assert (attributes["domain"], attributes["progress"]) == ("new.example.org", 75)
    home.agent.put_job("containers.update", "web")
    home.agent.put("job", job["id"], job | {"state": "finished", "outcome": "done"})
    await home.becomes("sensor", "provisioning", "idle")
    assert home.state("sensor", "provisioning").attributes["domain"] is None


async def test_another_job_about_a_domain_is_no_provisioning(photos: Home) -> None:
    job = wire.job("domains.apply", f"domain:{PHOTOS}")
    photos.agent.put("job", job["id"], job)
    put(photos, job_id=job["id"], status="changing")
    await photos.becomes("binary_sensor", f"{DOMAIN}:problem", "unknown")
    assert photos.state("sensor", f"{DOMAIN}:provisioning").state == "idle"


async def test_what_happens_to_a_domain_is_an_event_with_the_reason(photos: Home) -> None:
    def event() -> State:
        return photos.state("event", f"{DOMAIN}:event")

    photos.agent.put("domain_event", PHOTOS, wire_domains.domain_event(number=3))
    await until(lambda: event().attributes["event_type"] == "unhealthy", "the outage")
    assert event().attributes["reason"] == "Nothing answers on port 443."
    assert event().attributes["status"] == "unhealthy"
    photos.agent.put("domain_event", PHOTOS, wire_domains.domain_event(kind="recovered", number=4))
    await until(lambda: event().attributes["event_type"] == "recovered", "the recovery")
    assert "reason" not in event().attributes


async def test_a_button_has_a_domain_looked_at_now(photos: Home) -> None:
    photos.agent.answers[f"POST /domains/{PHOTOS}/check"] = Answer(wire_domains.domain_health())
    await photos.act("button", "press", "button", f"{DOMAIN}:check_domain")
    assert photos.agent.count("POST", f"/domains/{PHOTOS}/check") == 1


async def test_a_route_can_be_put_back_only_where_it_was_lost(photos: Home) -> None:
    button = f"{DOMAIN}:restore_route"
    assert photos.state("button", button).state == "unavailable"
    photos.agent.put("proxy_route", PHOTOS, wire_domains.proxy_route())
    await photos.settled()
    assert photos.state("button", button).state == "unavailable"
    photos.agent.put("proxy_route", PHOTOS, wire_domains.proxy_route(state="missing"))
    await photos.becomes("button", button, "unknown")
    apply = f"POST /proxy/routes/{PHOTOS}/apply"
    refusal = wire.problem(503, "unavailable", "Caddy is away.", hint="Start it.")
    photos.agent.answers[apply] = Answer(refusal, 503)
    with pytest.raises(HomeAssistantError, match=r"Caddy is away\. Start it\."):
        await photos.act("button", "press", "button", button)
    photos.agent.answers[apply] = Answer({"outcome": "done", "message": "Done.", "job": None})
    await photos.act("button", "press", "button", button)
    assert photos.agent.count("POST", f"/proxy/routes/{PHOTOS}/apply") == 2


async def test_a_domain_needs_no_docker_but_its_agent(photos: Home) -> None:
    photos.agent.put("engine", "docker", wire.engine_away())
    await photos.becomes("switch", "web:switch", "unavailable")
    assert photos.state("binary_sensor", f"{DOMAIN}:problem").state == "off"
    await photos.agent.stop()
    for platform, key in (
        ("binary_sensor", "problem"),
        ("sensor", "domain_address"),
        ("sensor", "provisioning"),
        ("event", "event"),
        ("button", "check_domain"),
    ):
        await photos.becomes(platform, f"{DOMAIN}:{key}", "unavailable")


async def test_a_forgotten_domain_takes_its_page_along_without_docker_too(photos: Home) -> None:
    photos.agent.put("engine", "docker", wire.engine_away())
    photos.agent.remove("domain", PHOTOS)
    await photos.becomes("binary_sensor", f"{DOMAIN}:problem", "unavailable")
    assert photos.device(DOMAIN) is not None
    await photos.passes(seconds=70)
    assert photos.device(DOMAIN) is None
    assert not photos.has("binary_sensor", f"{DOMAIN}:problem")
    put(photos)
    await photos.becomes("binary_sensor", f"{DOMAIN}:problem", "off")


async def test_a_name_that_follows_an_address_has_a_page_and_says_how_it_is(home: Home) -> None:
    put_address(home)
    await home.becomes("binary_sensor", f"{DYNAMIC}:problem", "off")
    device = home.device(DYNAMIC)
    assert device is not None
    assert (device.name, device.model) == (HOME_NAME, "Dynamic DNS")
    assert home.state("sensor", f"{DYNAMIC}:dynamic_ipv4").state == "203.0.113.7"
    await enable(home, "sensor", f"{DYNAMIC}:dynamic_state", f"{DYNAMIC}:dynamic_changed_at")
    put_address(home, state="refused", reason="badauth", next_try_at="2026-11-21T09:00:00Z")
    await home.becomes("binary_sensor", f"{DYNAMIC}:problem", "on")
    attributes = home.state("binary_sensor", f"{DYNAMIC}:problem").attributes
    assert attributes["reason"] == "badauth"
    assert attributes["next_try_at"].isoformat() == "2026-11-21T09:00:00+00:00"
    assert home.state("sensor", f"{DYNAMIC}:dynamic_state").state == "refused"
    put_address(home, state="paused")
    await home.becomes("binary_sensor", f"{DYNAMIC}:problem", "unknown")


async def test_only_the_addresses_that_are_followed_are_on_at_once(home: Home) -> None:
    put_address(home, follows_ipv4=False, follows_ipv6=True, ipv4=None, ipv6="2001:db8::7")
    await home.becomes("sensor", f"{DYNAMIC}:dynamic_ipv6", "2001:db8::7")
    entry = er.async_get(home.hass).async_get(home.entity_id("sensor", f"{DYNAMIC}:dynamic_ipv4"))
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_a_changed_address_is_an_event_and_can_be_asked_for(home: Home) -> None:
    put_address(home)
    await home.becomes("binary_sensor", f"{DYNAMIC}:problem", "off")
    event = wire_domains.dynamic_address_event(number=2)
    home.agent.put("dynamic_address_event", HOME_NAME, event)

    def told() -> State:
        return home.state("event", f"{DYNAMIC}:event")

    await until(lambda: told().attributes["event_type"] == "changed", "the change")
    assert told().attributes["old_ipv4"] == "203.0.113.6"
    assert told().attributes["new_ipv4"] == "203.0.113.7"
    update = f"/dynamic-addresses/{HOME_NAME}/update"
    home.agent.answers[f"POST {update}"] = Answer(wire_domains.dynamic_address())
    await home.act("button", "press", "button", f"{DYNAMIC}:update_address")
    assert home.agent.count("POST", update) == 1


async def test_what_belongs_to_a_domain_is_on_its_page(photos: Home) -> None:
    put_address(photos, PHOTOS)
    put_managed(photos)
    put_managed(photos, "wild", names=[f"*.{PHOTOS}", PHOTOS])
    await photos.becomes("binary_sensor", f"dynamic_address:{PHOTOS}:problem", "off")
    await photos.becomes("binary_sensor", "managed_certificate:wild:problem", "off")
    page = photos.device(DOMAIN)
    for platform, key in (
        ("sensor", f"dynamic_address:{PHOTOS}:dynamic_ipv4"),
        ("sensor", f"{MANAGED}:managed_expires_at"),
        ("button", "managed_certificate:wild:renew_certificate"),
    ):
        assert device_of(photos, platform, key) == page
    assert photos.device(f"dynamic_address:{PHOTOS}") is None
    assert name(photos, "binary_sensor", f"{MANAGED}:problem") == f"{PHOTOS} Renewal problem"
    wild = name(photos, "binary_sensor", "managed_certificate:wild:problem")
    assert wild == f"{PHOTOS} *.{PHOTOS} Renewal problem"


async def test_an_address_moves_to_the_page_of_its_domain_and_back(home: Home) -> None:
    put_address(home, PHOTOS)
    key = f"dynamic_address:{PHOTOS}"
    await home.becomes("binary_sensor", f"{key}:problem", "off")
    assert home.device(key) is not None
    put(home)
    await until(lambda: home.device(key) is None, "the move")
    await home.becomes("binary_sensor", f"{key}:problem", "off")
    assert device_of(home, "binary_sensor", f"{key}:problem") == home.device(DOMAIN)
    home.agent.remove("domain", PHOTOS)
    await home.becomes("binary_sensor", f"{DOMAIN}:problem", "unavailable")
    await home.passes(seconds=70)
    await until(lambda: home.device(key) is not None, "the move back")
    await home.becomes("binary_sensor", f"{key}:problem", "off")
    await home.hass.async_block_till_done()


async def test_a_watched_certificate_of_the_agent_is_where_the_agent_keeps_it(home: Home) -> None:
    watched = f"managed-{PHOTOS}"
    found = wire_services.certificate(watched, source="managed", managed=PHOTOS)
    home.agent.put("certificate", watched, found)
    put_managed(home)
    key = f"certificate:{watched}:problem"
    await home.becomes("binary_sensor", key, "off")
    await until(
        lambda: device_of(home, "binary_sensor", key) == home.device(MANAGED), "the first page"
    )
    put(home)
    await until(
        lambda: device_of(home, "binary_sensor", key) == home.device(DOMAIN), "the domain's"
    )
    await home.becomes("binary_sensor", key, "off")
    assert not home.has("sensor", f"certificate:{watched}:expires_at"), "it is there already"


async def test_a_certificate_with_other_names_moves_along(photos: Home) -> None:
    put_managed(photos, "shop", names=["shop.example.org"])
    await photos.becomes("binary_sensor", "managed_certificate:shop:problem", "off")
    assert photos.device("managed_certificate:shop") is not None
    put_managed(photos, "shop", names=["store.example.org"])

    def page() -> str | None:
        device = photos.device("managed_certificate:shop")
        return device.name if device else None

    await until(lambda: page() == "store.example.org", "the name")
    put_managed(photos, "shop", names=[PHOTOS])
    await until(lambda: page() is None, "the move")
    key = "managed_certificate:shop:problem"
    await photos.becomes("binary_sensor", key, "off")
    assert device_of(photos, "binary_sensor", key) == photos.device(DOMAIN)
    assert name(photos, "binary_sensor", key) == f"{PHOTOS} Renewal problem"
    put_managed(photos)
    await photos.becomes("binary_sensor", f"{MANAGED}:problem", "off")
    put_managed(photos, "shop", names=[f"*.{PHOTOS}", PHOTOS])
    renamed = f"{PHOTOS} *.{PHOTOS} Renewal problem"
    await until(lambda: name(photos, "binary_sensor", key) == renamed, "the name")
    await photos.hass.async_block_till_done()


async def test_what_a_token_may_not_do_is_told_with_the_scope_that_it_needs(photos: Home) -> None:
    said = "domains.check needs the scope admin; home has operate"
    denied = wire.problem(403, "denied", said, hint="Create a token with the scope admin")
    photos.agent.answers[f"POST /domains/{PHOTOS}/check"] = Answer(denied, 403)
    with pytest.raises(HomeAssistantError) as told:
        await photos.act("button", "press", "button", f"{DOMAIN}:check_domain")
    words = f"This is not allowed. {said}. Create a token with the scope admin"
    assert str(told.value) == words


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "off"),
        ({"state": "renewing"}, "off"),
        ({"state": "issuing", "expires_at": None}, "unknown"),
        ({"state": "failing", "failure": wire_domains.failure()}, "on"),
        ({"state": "renewing", "failure": wire_domains.failure()}, "on"),
        ({"state": "expired"}, "on"),
        ({"state": "revoked"}, "on"),
        ({"state": "dreaming"}, "unknown"),
    ],
)
async def test_a_kept_certificate_says_whether_it_will_last(
    home: Home, changes: dict[str, Any], problem: str
) -> None:
    put_managed(home, **changes)
    await home.becomes("binary_sensor", f"{MANAGED}:problem", problem)


async def test_a_failed_renewal_says_at_which_step_why_and_what_to_do(home: Home) -> None:
    put_managed(home, state="failing", failure=wire_domains.failure())
    await home.becomes("binary_sensor", f"{MANAGED}:problem", "on")
    attributes = home.state("binary_sensor", f"{MANAGED}:problem").attributes
    assert attributes["reason"] == "The authority could not see the proof."
    assert attributes["step"] == "validation"
    assert attributes["authority_says"] == "DNS problem: NXDOMAIN looking up TXT"
    assert attributes["what_to_do"].startswith("Look whether the zone")
    event = wire_domains.managed_certificate_event(number=2)
    home.agent.put("managed_certificate_event", PHOTOS, event)

    def told() -> State:
        return home.state("event", f"{MANAGED}:event")

    await until(lambda: told().attributes["event_type"] == "failed", "the failure")
    assert told().attributes["step"] == "validation"
    assert told().attributes["what_to_do"] == "Look at the delegation."


async def test_a_button_renews_what_was_ordered_and_nothing_that_was_uploaded(home: Home) -> None:
    put_managed(home)
    put_managed(home, "own", origin="uploaded")
    await home.becomes("binary_sensor", "managed_certificate:own:problem", "off")
    assert not home.has("button", "managed_certificate:own:renew_certificate")
    path = f"/managed-certificates/{PHOTOS}/renew"
    home.agent.answers[f"POST {path}"] = Answer(
        {"outcome": "done", "message": "Done.", "job": None}
    )
    await home.act("button", "press", "button", f"{MANAGED}:renew_certificate")
    assert home.agent.count("POST", path) == 1


async def test_the_proxy_has_a_page_once_there_is_one(home: Home) -> None:
    home.agent.put("proxy", "caddy", wire_domains.proxy(mode="none", reach="unknown"))
    await home.settled()
    assert home.device(PROXY) is None
    assert not home.has("sensor", f"{PROXY}:proxy_routes")
    home.agent.put("proxy", "caddy", wire_domains.proxy())
    await home.becomes("sensor", f"{PROXY}:proxy_routes", "2")
    device = home.device(PROXY)
    assert device is not None
    assert (device.name, device.model) == ("Reverse proxy", "Caddy")
    assert home.state("sensor", f"{PROXY}:proxy_reach").state == "ok"
    assert home.state("binary_sensor", f"{PROXY}:problem").state == "off"
    home.agent.put("proxy", "caddy", wire_domains.proxy(mode="none"))
    await home.settled()
    await home.passes(seconds=70)
    assert home.device(PROXY) is None
    home.agent.put("proxy", "caddy", wire_domains.proxy(routes=3))
    await home.becomes("sensor", f"{PROXY}:proxy_routes", "3")


async def test_the_proxy_is_called_in_words_after_a_change_of_the_language(home: Home) -> None:
    home.agent.put("proxy", "caddy", wire_domains.proxy())
    await until(lambda: home.device(PROXY), "the proxy")
    await home.hass.config.async_update(language="de")
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    device = home.device(PROXY)
    assert device is not None
    assert device.name == "Reverse-Proxy"


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"warning": "Gone at the next restart."}, "on", "Gone at the next restart."),
        ({"reach": "away", "reason": "Nobody listens."}, "on", "Nobody listens."),
        ({"reach": "unknown"}, "unknown", None),
    ],
)
async def test_the_proxy_says_what_is_wrong_with_it(
    home: Home, changes: dict[str, Any], state: str, reason: str | None
) -> None:
    home.agent.put("proxy", "caddy", wire_domains.proxy(**changes))
    await home.becomes("binary_sensor", f"{PROXY}:problem", state)
    assert home.state("binary_sensor", f"{PROXY}:problem").attributes["reason"] == reason


async def test_a_provider_of_dns_is_shown_by_name_on_the_page_of_its_host(home: Home) -> None:
    home.agent.put("dns_provider", "home", wire_domains.dns_provider())
    await home.becomes("sensor", "dns_provider:home:provider_state", "ok")
    assert device_of(home, "sensor", "dns_provider:home:provider_state") == home.device()
    assert name(home, "sensor", "dns_provider:home:provider_state").endswith("DNS provider Home")
    home.agent.remove("dns_provider", "home")
    await home.becomes("sensor", "dns_provider:home:provider_state", "unavailable")
    await home.passes(seconds=70)
    assert not home.has("sensor", "dns_provider:home:provider_state")
