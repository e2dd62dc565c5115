"""Actions on domains, DNS, addresses, routes and certificates: what they ask and answer."""

import json
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from pytest_homeassistant_custom_component.common import MockUser

from tests.fakes import wire, wire_domains
from tests.fakes.agent_server import Answer
from tests.fakes.wire_domains import PHOTOS
from tests.integration.home import Home

DONE = {"outcome": "done", "message": "As told.", "job": None}
ENDED = {"outcome": "done", "message": "As told.", "job_id": None}
MAIL = "mail.example.org"
HOME = "home.example.org"
HASH = "0123456789abcdef"
PHOTOS_DEVICE = f"domain:{PHOTOS}"
RECORD = {"name": PHOTOS, "type": "A", "values": ["203.0.113.7"], "ttl_s": 300}


def dns_plan(**changes: Any) -> dict[str, Any]:
    """Return that one record would change."""
    return {
        "zone": "example.org",
        "provider": "home",
        "changes": [
            {
                "action": "update",
                "name": PHOTOS,
                "type": "A",
                "before": {**RECORD, "values": ["203.0.113.6"]},
                "after": RECORD,
            }
        ],
        "hash": HASH,
        "needs_admin": None,
        "warnings": [],
        "text": f"Change A of {PHOTOS}.",
        **changes,
    }


ROUTE_PLAN = {
    "host": PHOTOS,
    "before": None,
    "after": "{}",
    "difference": ["It is new."],
    "validated": True,
    "warnings": [],
}
PROVISION_PLAN = {
    "name": PHOTOS,
    "upstream": "127.0.0.1:8080",
    "dns": dns_plan(),
    "route": ROUTE_PLAN,
    "steps": [{"step": "dns_apply", "text": "Change one record.", "done": False}],
    "warnings": [],
    "needs_admin": None,
    "hash": HASH,
}
PLAIN_OPTIONS = {
    name: value for name, value in wire_domains.route_options().items() if value is not None
}


@pytest.fixture
async def domains(home: Home) -> Home:
    """A home with two domains, an address that is followed, and two kept certificates."""
    agent = home.agent
    for name in (PHOTOS, MAIL):
        agent.put("domain", name, wire_domains.domain(name))
    agent.put("dynamic_address", HOME, wire_domains.dynamic_address(HOME))
    agent.put("dynamic_address", PHOTOS, wire_domains.dynamic_address(PHOTOS))
    wildcard = wire_domains.managed_certificate("wild", names=["*.example.org", MAIL])
    agent.put("managed_certificate", "wild", wildcard)
    agent.put("managed_certificate", PHOTOS, wire_domains.managed_certificate())
    await home.settled()
    return home


def sent(home: Home) -> Any:
    return home.agent.seen[-1].body


async def refused(home: Home, action: str, **data: Any) -> str | None:
    """Call an action that the agent never hears of; return the key of what is said."""
    before = len(home.agent.seen)
    with pytest.raises(ServiceValidationError) as caught:
        await home.ask(action, **data)
    assert len(home.agent.seen) == before
    return caught.value.translation_key


async def test_domains_are_listed_to_the_last_page(domains: Home) -> None:
    first = {"domains": [wire_domains.domain(MAIL)], "total": 2, "next_after": MAIL}
    last = {"domains": [wire_domains.domain()], "total": 2, "next_after": None}
    domains.agent.answers["GET /domains?limit=500"] = Answer(first)
    domains.agent.answers[f"GET /domains?after={MAIL}&limit=500"] = Answer(last)
    (at,) = (await domains.ask("list_domains"))["hosts"]
    assert [one["id"] for one in at["domains"]] == [MAIL, PHOTOS]


async def test_domains_are_listed_as_they_are_narrowed(domains: Home) -> None:
    page = {"domains": [wire_domains.domain()], "total": 1, "next_after": None}
    domains.agent.answers["GET /domains"] = Answer(page)
    answer = await domains.ask("list_domains", service_type="web", status="healthy", text="photos")
    (at,) = answer["hosts"]
    assert (at["host"], [one["id"] for one in at["domains"]]) == ("atlas", [PHOTOS])
    assert domains.agent.seen[-1].query == {
        "service_type": "web",
        "status": "healthy",
        "text": "photos",
        "limit": "500",
    }
    json.dumps(answer)


async def test_a_domain_is_added_with_its_records_and_the_targeted_container(
    domains: Home,
) -> None:
    domains.agent.answers["POST /domains"] = Answer(wire_domains.domain())
    answer = await domains.ask(
        "add_domain",
        domain="Photos.Example.org.",
        device_id=domains.device_id("web"),
        service_type="web",
        records=[{"type": "a", "values": "203.0.113.7", "ttl": 300}],
        note="Holidays",
        provider="home",
        paused=False,
    )
    assert (answer["host"], answer["id"]) == ("atlas", PHOTOS)
    assert sent(domains) == {
        "name": "Photos.Example.org.",
        "service_type": "web",
        "records": [{"type": "A", "values": ["203.0.113.7"], "ttl_s": 300}],
        "container": "web",
        "note": "Holidays",
        "provider": "home",
        "paused": False,
    }


@pytest.mark.parametrize("by_name", [True, False])
async def test_only_what_is_said_of_a_domain_changes(domains: Home, *, by_name: bool) -> None:
    domains.agent.answers[f"PATCH /domains/{PHOTOS}"] = Answer(wire_domains.domain())
    which = {"domain": PHOTOS.upper()} if by_name else {}
    meant = [] if by_name else [domains.device_id(PHOTOS_DEVICE)]
    await domains.ask(
        "update_domain", device_id=[*meant, domains.device_id("web")], note="New", **which
    )
    assert sent(domains) == {"note": "New", "container": "web"}


async def test_domains_are_checked_by_their_devices_entities_names_or_host(domains: Home) -> None:
    for name in (PHOTOS, MAIL):
        health = Answer(wire_domains.domain_health(name))
        domains.agent.answers[f"POST /domains/{name}/check"] = health
    entity_id = domains.entity_id("binary_sensor", f"{PHOTOS_DEVICE}:problem")
    for target, expected in (
        ({"device_id": domains.device_id(PHOTOS_DEVICE)}, {PHOTOS}),
        ({"entity_id": entity_id}, {PHOTOS}),
        ({"domain": [MAIL]}, {MAIL}),
        ({"device_id": domains.device_id(None)}, {PHOTOS, MAIL}),
    ):
        answer = await domains.ask("check_domain", **target)
        assert {one["domain"] for one in answer["domains"]} == expected
    assert answer["domains"][0]["checks"][0]["result"] == "ok"


async def test_a_domain_is_forgotten_and_by_a_plan_its_records_first(domains: Home) -> None:
    path = f"/domains/{PHOTOS}"
    domains.agent.answers[f"DELETE {path}"] = Answer(DONE)
    answer = await domains.ask("remove_domain", domain=PHOTOS)
    assert answer["domains"] == [{"host": "atlas", "domain": PHOTOS, "id": PHOTOS, **ENDED}]
    assert domains.agent.seen[-1].query == {}
    await domains.ask("remove_domain", domain=PHOTOS, plan_hash=HASH)
    assert domains.agent.seen[-1].query == {"plan_hash": HASH, "wait_s": "0"}
    assert (
        await refused(domains, "remove_domain", domain=[PHOTOS, MAIL], plan_hash=HASH)
        == "one_domain_needed"
    )


async def test_the_history_of_a_domain_is_read(domains: Home) -> None:
    entry = {
        "id": 7,
        "at": wire.BEGINNING,
        "caller": "phone",
        "type": "dns_applied",
        "step": None,
        "outcome": "done",
        "message": "One record changed.",
        "before": {"A": ["203.0.113.6"]},
        "after": {"A": ["203.0.113.7"]},
        "job_id": None,
    }
    page = {"events": [entry], "next_before": None}
    domains.agent.answers[f"GET /domains/{PHOTOS}/events"] = Answer(page)
    answer = await domains.ask("domain_history", domain=PHOTOS, limit=5)
    assert domains.agent.seen[-1].query == {"limit": "5"}
    (one,) = answer["domains"]
    assert one["events"][0]["before"] == {"A": ["203.0.113.6"]}
    json.dumps(answer)


async def test_an_export_is_what_an_import_takes(domains: Home) -> None:
    exported = {
        "version": 1,
        "domains": [
            {
                "name": PHOTOS,
                "service_type": "web",
                "records": [{"type": "A", "values": ["203.0.113.7"], "ttl_s": 300}],
                "container": None,
                "note": None,
                "provider": None,
                "paused": False,
            }
        ],
    }
    domains.agent.answers["GET /domains/export"] = Answer(exported)
    text = (await domains.ask("export_domains"))["text"]
    assert json.loads(text) == exported
    domains.agent.answers["GET /domains/export"] = Answer("name\n", content_type="text/csv")
    answer = await domains.ask("export_domains", format="csv")
    assert answer == {"host": "atlas", "format": "csv", "text": "name\n"}
    change = {"id": PHOTOS, "action": "keep", "before": None, "after": None}
    plan = {"hash": HASH, "changes": [change], "applied": False}
    domains.agent.answers["POST /domains/import"] = Answer(plan)
    answer = await domains.ask("import_domains", text=text, replace=True, plan_hash=HASH)
    assert (answer["hash"], answer["changes"][0]["action"]) == (HASH, "keep")
    assert sent(domains) == {"format": "json", "text": text, "replace": True, "plan_hash": HASH}


async def test_providers_are_listed_and_tested(domains: Home) -> None:
    provider = wire_domains.dns_provider()
    domains.agent.answers["GET /dns/providers"] = Answer({"providers": [provider]})
    (at,) = (await domains.ask("list_dns_providers"))["hosts"]
    assert at["providers"][0]["state"] == "ok"
    domains.agent.answers["POST /dns/providers/home/test"] = Answer(
        {**provider, "state": "refused", "reason": "BADSIG"}
    )
    answer = await domains.ask("test_dns_provider", provider="home")
    assert (answer["host"], answer["state"], answer["reason"]) == ("atlas", "refused", "BADSIG")


async def test_zones_are_listed_and_read_as_they_are_narrowed(domains: Home) -> None:
    capabilities = wire_domains.dns_provider()["capabilities"]
    zone = {"zone": "example.org", "provider": "home", "capabilities": capabilities}
    domains.agent.answers["GET /dns/zones"] = Answer({"zones": [zone]})
    (at,) = (await domains.ask("list_zones", provider="home", text="example"))["hosts"]
    assert [one["zone"] for one in at["zones"]] == ["example.org"]
    assert domains.agent.seen[-1].query == {"provider": "home", "text": "example"}
    held = {
        "zone": "example.org",
        "provider": "home",
        "version": "7",
        "lists": True,
        "records": [RECORD],
    }
    domains.agent.answers["GET /dns/zones/example.org"] = Answer(held)
    answer = await domains.ask("read_zone", zone="example.org", text="photos")
    assert answer["records"] == [RECORD]
    assert domains.agent.seen[-1].query == {"text": "photos"}


async def test_every_name_server_is_asked(domains: Home) -> None:
    servers = [{"server": "ns1.example.org", "address": "192.0.2.53", "values": ["10 mx"]}]
    domains.agent.answers["GET /dns/answers"] = Answer(
        {
            "name": MAIL,
            "type": "MX",
            "zone": "example.org",
            "agree": True,
            "servers": [
                {**one, "ttl_s": 60, "serial": 1, "response_ms": 2.5, "reason": None}
                for one in servers
            ],
        }
    )
    answer = await domains.ask("ask_name_servers", name=MAIL, type="mx")
    assert (answer["agree"], answer["servers"][0]["values"]) == (True, ["10 mx"])
    assert domains.agent.seen[-1].query == {"name": MAIL, "type": "MX"}


async def test_a_domain_is_planned_and_applied_by_the_hash_of_the_plan(domains: Home) -> None:
    domains.agent.answers[f"POST /domains/{PHOTOS}/plan"] = Answer(dns_plan())
    answer = await domains.ask("plan_dns", device_id=domains.device_id(PHOTOS_DEVICE), remove=True)
    assert (answer["hash"], answer["changes"][0]["action"]) == (HASH, "update")
    assert sent(domains) == {"remove": True}
    domains.agent.answers[f"POST /domains/{PHOTOS}/apply"] = Answer(DONE)
    answer = await domains.ask("apply_dns", domain=PHOTOS, plan_hash=HASH)
    assert answer == {"host": "atlas", "domain": PHOTOS, "id": PHOTOS, **ENDED}
    assert sent(domains) == {"remove": False, "plan_hash": HASH, "wait_s": 0}


async def test_records_are_planned_and_applied_without_a_domain(domains: Home) -> None:
    domains.agent.answers["POST /dns/plan"] = Answer(dns_plan())
    records = [
        {"name": MAIL, "type": "MX", "values": ["10 mx.example.org"], "ttl": 60},
        {"name": "old.example.org", "type": "A"},
    ]
    wanted = [
        {"name": MAIL, "type": "MX", "values": ["10 mx.example.org"], "ttl_s": 60},
        {"name": "old.example.org", "type": "A", "values": []},
    ]
    await domains.ask("plan_dns", records=records, zone="example.org", provider="home")
    assert sent(domains) == {"wanted": wanted, "zone": "example.org", "provider": "home"}
    domains.agent.answers["POST /dns/apply"] = Answer(DONE)
    answer = await domains.ask("apply_dns", records=records, plan_hash=HASH)
    assert answer == {"host": "atlas", **ENDED}
    assert sent(domains) == {"wanted": wanted, "plan_hash": HASH, "wait_s": 0}
    assert await refused(domains, "plan_dns", records=records, domain=PHOTOS) == "records_or_domain"
    assert await refused(domains, "plan_dns", records=records, remove=True) == "records_or_domain"


async def test_a_container_is_planned_at_a_name_and_provisioned_as_planned(
    domains: Home,
) -> None:
    domains.agent.answers["POST /provisioning/plan"] = Answer(PROVISION_PLAN)
    given: dict[str, Any] = {
        "domain": "wiki.example.org",
        "device_id": domains.device_id("web"),
        "port": 80,
        "ipv4": "203.0.113.7",
        "ipv6": "2001:db8::7",
        "ttl": 60,
        "certificate": "dns_01",
        "hsts": {"days": 1},
        "allow": "192.168.1.0/24",
        "login_required": True,
        "request_headers": {"X-One": "1"},
        "verify_upstream_tls": False,
        "health_path": "/up",
    }
    answer = await domains.ask("plan_domain", **given)
    assert (answer["host"], answer["hash"]) == ("atlas", HASH)
    wanted = {
        "name": "wiki.example.org",
        "container": "web",
        "port": 80,
        "ipv4": "203.0.113.7",
        "ipv6": "2001:db8::7",
        "ttl_s": 60,
        "dynamic": False,
        "certificate": "dns_01",
        "options": {
            **PLAIN_OPTIONS,
            "hsts_s": 86400,
            "allow": ["192.168.1.0/24"],
            "login_required": True,
            "request_headers": {"X-One": "1"},
            "verify_upstream_tls": False,
            "health": {"path": "/up", "interval_s": 30, "timeout_s": 5},
        },
    }
    assert sent(domains) == wanted
    domains.agent.answers["POST /provisioning"] = Answer(DONE)
    answer = await domains.ask("provision_domain", plan_hash=HASH, **given)
    assert answer == {"host": "atlas", "domain": "wiki.example.org", **ENDED}
    assert sent(domains) == {**wanted, "plan_hash": HASH, "wait_s": 0}


async def test_a_targeted_domain_is_where_something_is_put(domains: Home) -> None:
    domains.agent.answers["POST /provisioning"] = Answer(DONE)
    await domains.ask(
        "provision_domain",
        device_id=domains.device_id(PHOTOS_DEVICE),
        upstream="192.0.2.10:8080",
        dynamic=True,
    )
    assert (sent(domains)["name"], sent(domains)["dynamic"]) == (PHOTOS, True)
    assert sent(domains)["upstream"] == "192.0.2.10:8080"
    both = [domains.device_id(PHOTOS_DEVICE), domains.device_id("web")]
    await domains.ask("provision_domain", device_id=both, cname="atlas.example.org")
    assert (sent(domains)["name"], sent(domains)["container"]) == (PHOTOS, "web")


async def test_provisioning_is_waited_for_and_what_failed_is_told_as_taken_back(
    domains: Home,
) -> None:
    job = wire_domains.provisioning()
    error = {"code": "timed_out", "message": "ns2 does not give the record.", "hint": "Wait."}
    ended = {**job, "state": "finished", "outcome": "undone", "error": error}
    domains.agent.put("job", job["id"], ended)
    await domains.settled()
    domains.agent.answers["POST /provisioning"] = Answer(
        {"outcome": None, "message": "Going on.", "job": job}, 202
    )
    given = {"domain": PHOTOS, "upstream": "192.0.2.10:8080"}
    with pytest.raises(HomeAssistantError, match="ns2 does not give the record") as caught:
        await domains.ask("provision_domain", **given)
    assert caught.value.translation_key == "undone"
    answer = await domains.ask("provision_domain", wait=False, **given)
    assert (answer["outcome"], answer["job_id"]) == (None, job["id"])


async def test_no_action_takes_a_password(domains: Home) -> None:
    given = {"domain": PHOTOS, "basic_auth": {"me": "12345678"}}
    for action, more in (
        ("provision_domain", {"upstream": "h:1"}),
        ("set_proxy_route", {"upstreams": "h:1"}),
    ):
        with pytest.raises(vol.Invalid, match="basic_auth"):
            await domains.ask(action, **given, **more)


async def test_a_domain_is_taken_back(domains: Home) -> None:
    domains.agent.answers[f"POST /provisioning/{PHOTOS}/remove"] = Answer(DONE)
    answer = await domains.ask("deprovision_domain", domain=PHOTOS, keep_records=True, forget=True)
    assert answer["domains"] == [{"host": "atlas", "domain": PHOTOS, "id": PHOTOS, **ENDED}]
    assert sent(domains) == {"keep_records": True, "forget": True, "wait_s": 0}


async def test_what_a_domain_is_made_of_is_shown(domains: Home) -> None:
    made = {
        "name": PHOTOS,
        "provisioned": True,
        "container": "web",
        "upstreams": ["127.0.0.1:8080"],
        "records": [RECORD],
        "certificate": "caddy",
        "certificate_key": None,
        "dynamic": False,
        "job_id": None,
    }
    domains.agent.answers[f"GET /provisioning/{PHOTOS}"] = Answer(made)
    (one,) = (await domains.ask("provisioning_report", domain=PHOTOS))["domains"]
    assert (one["host"], one["certificate"], one["records"]) == ("atlas", "caddy", [RECORD])


ADDRESS = f"/dynamic-addresses/{HOME}"


async def test_a_name_follows_the_network_or_an_interface(domains: Home) -> None:
    domains.agent.answers["POST /dynamic-addresses"] = Answer(wire_domains.dynamic_address(HOME))
    answer = await domains.ask("add_dynamic_address", name=HOME, ipv6=True, ttl=60)
    assert (answer["host"], answer["key"]) == ("atlas", HOME)
    wanted = {"name": HOME, "source": "public", "ipv4": True, "ipv6": True, "ttl_s": 60}
    assert sent(domains) == wanted
    await domains.ask("add_dynamic_address", name=HOME, interface="eth0", provider="home")
    assert (sent(domains)["source"], sent(domains)["interface"]) == ("interface", "eth0")


async def test_addresses_are_listed_updated_paused_resumed_and_removed(domains: Home) -> None:
    agent = domains.agent
    address = wire_domains.dynamic_address(HOME)
    agent.answers["GET /dynamic-addresses"] = Answer({"addresses": [address]})
    (at,) = (await domains.ask("list_dynamic_addresses"))["hosts"]
    assert at["addresses"][0]["ipv4"] == "203.0.113.7"
    agent.answers[f"POST {ADDRESS}/update"] = Answer(address)
    answer = await domains.ask("update_dynamic_address", name=f"{HOME.upper()}.")
    assert answer["state"] == "current"
    device_id = domains.device_id(f"dynamic_address:{HOME}")
    for action, path in (
        ("pause", f"POST {ADDRESS}/pause"),
        ("resume", f"POST {ADDRESS}/resume"),
        ("remove", f"DELETE {ADDRESS}"),
    ):
        agent.answers[path] = Answer(DONE)
        answer = await domains.ask(f"{action}_dynamic_address", device_id=device_id)
        assert answer == {"host": "atlas", "name": HOME, **ENDED}


async def test_an_address_and_a_certificate_are_meant_by_the_device_of_their_domain(
    domains: Home,
) -> None:
    device_id = domains.device_id(PHOTOS_DEVICE)
    domains.agent.answers[f"POST /dynamic-addresses/{PHOTOS}/pause"] = Answer(DONE)
    answer = await domains.ask("pause_dynamic_address", device_id=device_id)
    assert answer["name"] == PHOTOS
    domains.agent.answers[f"POST /managed-certificates/{PHOTOS}/renew"] = Answer(DONE)
    answer = await domains.ask("renew_certificate", device_id=device_id)
    assert answer["certificate"] == PHOTOS


async def test_the_proxy_is_shown_with_the_routes_of_others(domains: Home) -> None:
    foreign = {
        "server": "srv0",
        "hosts": ["blog.example.org"],
        "handler": "file_server",
        "left_over": True,
    }
    domains.agent.answers["GET /proxy"] = Answer(
        {
            "status": wire_domains.proxy(),
            "routes": [wire_domains.proxy_route()],
            "foreign": [foreign],
        }
    )
    (at,) = (await domains.ask("proxy_report"))["hosts"]
    assert (at["status"]["reach"], at["routes"][0]["key"]) == ("ok", PHOTOS)
    assert at["foreign"] == [foreign]


async def test_a_route_is_planned_set_restored_and_removed(domains: Home) -> None:
    agent, path = domains.agent, f"/proxy/routes/{PHOTOS}"
    agent.answers[f"POST {path}/plan"] = Answer(ROUTE_PLAN)
    given: dict[str, Any] = {
        "domain": PHOTOS,
        "upstreams": ["192.0.2.10:8080"],
        "aliases": "foto.example.org",
        "certificate": "managed",
        "https_redirect": False,
    }
    wanted = {
        "upstreams": ["192.0.2.10:8080"],
        "aliases": ["foto.example.org"],
        "certificate": "managed",
        "options": {**PLAIN_OPTIONS, "https_redirect": False},
    }
    answer = await domains.ask("plan_proxy_route", **given)
    assert (answer["host"], answer["difference"]) == (PHOTOS, ["It is new."])
    assert sent(domains) == wanted
    agent.answers[f"PUT {path}"] = Answer(DONE)
    answer = await domains.ask("set_proxy_route", **given)
    assert answer == {"host": "atlas", "domain": PHOTOS, **ENDED}
    assert sent(domains) == {**wanted, "wait_s": 0}
    device_id = domains.device_id(PHOTOS_DEVICE)
    agent.answers[f"POST {path}/apply"] = Answer(DONE)
    await domains.ask("restore_proxy_route", device_id=device_id)
    agent.answers[f"DELETE {path}"] = Answer(DONE)
    answer = await domains.ask("remove_proxy_route", device_id=device_id)
    assert (answer["domain"], answer["outcome"]) == (PHOTOS, "done")


async def test_certificates_are_listed_with_whom_they_are_ordered_from(domains: Home) -> None:
    found = wire_domains.managed_certificate(failure=wire_domains.failure())
    domains.agent.answers["GET /managed-certificates"] = Answer({"certificates": [found]})
    domains.agent.answers["GET /acme/account"] = Answer(wire_domains.acme_account())
    answer = await domains.ask("list_managed_certificates")
    (at,) = answer["hosts"]
    assert at["certificates"][0]["failure"]["step"] == "validation"
    assert at["account"]["terms_agreed"] is True
    json.dumps(answer)


async def test_a_certificate_is_ordered_and_handed_over(domains: Home) -> None:
    domains.agent.answers["POST /managed-certificates"] = Answer(DONE)
    answer = await domains.ask(
        "issue_certificate",
        device_id=domains.device_id("web"),
        names=["*.example.org", "example.org"],
        key_type="rsa_2048",
        caddy=True,
        folder="web",
        after="restart",
    )
    assert answer == {"host": "atlas", "names": ["*.example.org", "example.org"], **ENDED}
    assert sent(domains) == {
        "names": ["*.example.org", "example.org"],
        "key_type": "rsa_2048",
        "hand_over": {"caddy": True, "folder": "web", "container": "web", "after": "restart"},
        "wait_s": 0,
    }


@pytest.mark.parametrize("which", ["wild", "*.example.org", MAIL])
async def test_a_certificate_is_renewed_revoked_and_removed_by_any_of_its_names(
    domains: Home, which: str
) -> None:
    path = "/managed-certificates/wild"
    for action, asked, more in (
        ("renew_certificate", f"POST {path}/renew", {}),
        ("revoke_certificate", f"POST {path}/revoke", {"reason": "superseded"}),
        ("remove_certificate", f"DELETE {path}", {}),
    ):
        domains.agent.answers[asked] = Answer(DONE)
        answer = await domains.ask(action, certificate=which, **more)
        assert answer == {"host": "atlas", "certificate": "wild", **ENDED}
    assert domains.agent.seen[-2].body == {"reason": "superseded", "wait_s": 0}
    # It is begun, and its end is told by the job: an automation that does not wait goes on.
    assert domains.agent.seen[-1].query == {"wait_s": "0"}


async def test_of_several_certificates_for_a_name_the_one_called_so_is_meant(
    domains: Home,
) -> None:
    both = wire_domains.managed_certificate("both", names=[MAIL, PHOTOS])
    domains.agent.put("managed_certificate", "both", both)
    await domains.settled()
    domains.agent.answers[f"POST /managed-certificates/{PHOTOS}/renew"] = Answer(DONE)
    answer = await domains.ask("renew_certificate", certificate=PHOTOS)
    assert answer["certificate"] == PHOTOS
    assert await refused(domains, "renew_certificate", certificate=MAIL) == (
        "no_such_managed_certificate"
    )


@pytest.mark.parametrize(
    ("action", "data", "said"),
    [
        ("check_domain", {"device_id": "web"}, "no_domain_targeted"),
        ("check_domain", {"domain": ["nobody.example.org"]}, "no_such_domain"),
        ("check_domain", {"device_id": PHOTOS_DEVICE, "domain": MAIL}, "no_such_domain"),
        ("remove_domain", {}, "no_domain_targeted"),
        ("remove_domain", {"device_id": None}, "no_domain_targeted"),
        ("domain_history", {"device_id": None}, "no_domain_targeted"),
        ("deprovision_domain", {"device_id": None}, "no_domain_targeted"),
        ("update_domain", {"domain": [PHOTOS, MAIL]}, "one_domain_needed"),
        ("plan_dns", {}, "no_domain_targeted"),
        ("provision_domain", {"upstream": "h:1"}, "no_domain_targeted"),
        ("provision_domain", {"domain": PHOTOS}, "container_or_upstream"),
        (
            "provision_domain",
            {"domain": PHOTOS, "device_id": "web", "upstream": "h:1"},
            "container_or_upstream",
        ),
        ("remove_proxy_route", {}, "no_domain_targeted"),
        ("pause_dynamic_address", {"name": MAIL}, "no_such_dynamic_address"),
        ("pause_dynamic_address", {}, "no_such_dynamic_address"),
        ("pause_dynamic_address", {"device_id": None}, "no_such_dynamic_address"),
        ("renew_certificate", {"certificate": "nobody"}, "no_such_managed_certificate"),
        ("renew_certificate", {"device_id": "web"}, "no_such_managed_certificate"),
    ],
)
async def test_what_is_meant_has_to_be_clear(
    domains: Home, action: str, data: dict[str, Any], said: str
) -> None:
    given = dict(data)
    if "device_id" in given:
        given["device_id"] = domains.device_id(given["device_id"])
    assert await refused(domains, action, **given) == said


async def test_what_the_agent_refuses_is_told_with_what_to_do(domains: Home) -> None:
    domains.agent.answers["POST /dns/apply"] = Answer(
        wire.problem(409, "conflict", "The DNS has changed.", field="plan_hash", hint="Plan anew."),
        409,
    )
    records = [{"name": MAIL, "type": "A", "values": "192.0.2.1"}]
    with pytest.raises(ServiceValidationError, match=r"The DNS has changed\. Plan anew\."):
        await domains.ask("apply_dns", records=records, plan_hash=HASH)


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("provision_domain", {"domain": PHOTOS, "upstream": "h:1"}),
        ("apply_dns", {"domain": PHOTOS, "plan_hash": HASH}),
        ("remove_domain", {"domain": PHOTOS}),
        ("revoke_certificate", {"certificate": "wild"}),
        ("set_proxy_route", {"domain": PHOTOS, "upstreams": "h:1"}),
        ("pause_dynamic_address", {"name": HOME}),
    ],
)
async def test_only_administrators_change_something(
    domains: Home, hass_read_only_user: MockUser, action: str, data: dict[str, Any]
) -> None:
    context = Context(user_id=hass_read_only_user.id)
    before = len(domains.agent.seen)
    with pytest.raises(Unauthorized):
        await domains.ask(action, context=context, **data)
    assert len(domains.agent.seen) == before


async def test_everybody_may_look(domains: Home, hass_read_only_user: MockUser) -> None:
    domains.agent.answers["GET /dynamic-addresses"] = Answer({"addresses": []})
    context = Context(user_id=hass_read_only_user.id)
    assert await domains.ask("list_dynamic_addresses", context=context)
