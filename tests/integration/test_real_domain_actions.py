"""Actions and options on domains against real agents: the invented homelab, and one without."""

import json
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError

from tests.fakes.tls_servers.authority import self_signed
from tests.harness.agent import Agent
from tests.harness.ports import free_port
from tests.integration.real_lab import Lab, becomes, set_up

ZONE = "home.example.org"
FILMS = f"films.{ZONE}"
JELLYFIN = "media:jellyfin:1"
ADDRESS = "203.0.113.9"
SECRET = "a-secret-nobody-may-see"


def knows(lab: Lab, name: str) -> bool:
    """Return whether Home Assistant has heard of a domain."""
    return lab.entry.runtime_data.mirror.has(("domain", name))


async def values(lab: Lab, name: str, kind: str = "A") -> list[str]:
    """Return what the name servers say."""
    answers = await lab.act("ask_name_servers", name=name, type=kind)
    assert answers["agree"]
    found: list[str] = answers["servers"][0]["values"]
    return found


async def test_a_container_is_put_at_a_name_as_it_was_planned_and_taken_back(lab: Lab) -> None:
    wanted = {"device_id": lab.device_id(JELLYFIN), "domain": FILMS, "ipv4": ADDRESS}
    plan = await lab.act("plan_domain", **wanted)
    assert plan["dns"]["changes"][0]["after"]["values"] == [ADDRESS]
    assert plan["steps"]
    assert await values(lab, FILMS) == []

    done = await lab.act("provision_domain", **wanted, plan_hash=plan["hash"])

    assert (done["domain"], done["outcome"]) == (FILMS, "done")
    assert await values(lab, FILMS) == [ADDRESS]
    await becomes(lambda: knows(lab, FILMS), "the domain")
    domain = lab.device_id(f"domain:{FILMS}")
    (made,) = (await lab.act("provisioning_report", device_id=domain))["domains"]
    assert (made["container"], made["certificate"], made["provisioned"]) == (
        JELLYFIN,
        "caddy",
        True,
    )
    with pytest.raises(ServiceValidationError):
        await lab.act("remove_domain", domain=FILMS)
    (taken,) = (await lab.act("deprovision_domain", device_id=domain, forget=True))["domains"]
    assert taken["outcome"] == "done"
    assert await values(lab, FILMS) == []
    await becomes(lambda: not knows(lab, FILMS), "its end")
    with pytest.raises(ServiceValidationError):
        await lab.act("provision_domain", **wanted, plan_hash="0" * 64)


async def test_a_domain_lives_from_its_addition_to_the_end_of_its_records(lab: Lab) -> None:
    records = [{"type": "A", "values": [ADDRESS], "ttl": 300}]
    added = await lab.act("add_domain", domain=FILMS.upper(), records=records, note="Mine")
    assert (added["id"], added["status"]) == (FILMS, "pending")
    await becomes(lambda: knows(lab, FILMS), "the domain")
    domain = lab.device_id(f"domain:{FILMS}")

    plan = await lab.act("plan_dns", device_id=domain)
    assert [one["action"] for one in plan["changes"]] == ["create"]
    applied = await lab.act("apply_dns", device_id=domain, plan_hash=plan["hash"])
    assert applied["outcome"] == "done"
    assert await values(lab, FILMS) == [ADDRESS]
    with pytest.raises(ServiceValidationError, match="Plan it again"):
        await lab.act("apply_dns", device_id=domain, plan_hash=plan["hash"])

    changed = await lab.act("update_domain", domain=FILMS, note="Yours", paused=True)
    assert (changed["note"], changed["status"]) == ("Yours", "paused")
    await lab.act("update_domain", domain=FILMS, device_id=lab.device_id(JELLYFIN), paused=False)
    (found,) = (await lab.act("check_domain", domain=FILMS))["domains"]
    assert found["checks"]
    (at,) = (await lab.act("list_domains", text="films"))["hosts"]
    assert [one["container"] for one in at["domains"]] == [JELLYFIN]

    (told,) = (await lab.act("domain_history", domain=FILMS))["domains"]
    kinds = [event["type"] for event in told["events"]]
    assert kinds[-1] == "created"
    assert {"dns_applied", "updated"} <= set(kinds)
    assert {event["caller"] for event in told["events"]} == {"home-assistant"}
    json.dumps(told)

    plan = await lab.act("plan_dns", domain=FILMS, remove=True)
    (gone,) = (await lab.act("remove_domain", domain=FILMS, plan_hash=plan["hash"]))["domains"]
    assert gone["outcome"] == "done"
    assert await values(lab, FILMS) == []
    await becomes(lambda: not knows(lab, FILMS), "its end")


async def test_records_without_a_domain_are_written_and_removed(lab: Lab) -> None:
    record = {"name": f"_proof.{ZONE}", "type": "TXT"}
    for given, expected in (({"values": ["a; b"]}, ["a; b"]), ({}, [])):
        records = [{**record, **given}]
        plan = await lab.act("plan_dns", records=records)
        done = await lab.act("apply_dns", records=records, plan_hash=plan["hash"])
        assert done["outcome"] == "done"
        zone = await lab.act("read_zone", zone=ZONE, text="_proof")
        assert [value for one in zone["records"] for value in one["values"]] == expected


@pytest.mark.parametrize("written_as", ["json", "csv"])
async def test_what_was_exported_comes_back_whole(lab: Lab, written_as: str) -> None:
    exported = await lab.act("export_domains", format=written_as)
    (at,) = (await lab.act("list_domains"))["hosts"]
    lost = next(one for one in at["domains"] if one["note"] and not one["provisioned"])
    await lab.act("remove_domain", domain=lost["id"])
    await lab.act("add_domain", domain=f"more.{ZONE}")

    wanted = {"text": exported["text"], "format": written_as, "replace": True}
    plan = await lab.act("import_domains", **wanted)
    changes = {one["id"]: one["action"] for one in plan["changes"] if one["action"] != "keep"}
    assert changes == {lost["id"]: "create", f"more.{ZONE}": "delete"}
    assert plan["applied"] is False
    done = await lab.act("import_domains", **wanted, plan_hash=plan["hash"])
    assert done["applied"] is True
    assert await lab.act("export_domains", format=written_as) == exported


async def test_providers_and_zones_are_shown_and_tested(lab: Lab) -> None:
    (at,) = (await lab.act("list_dns_providers"))["hosts"]
    (provider,) = at["providers"]
    tested = await lab.act("test_dns_provider", provider=provider["key"])
    assert (tested["state"], tested["zones"]) == ("ok", [ZONE])
    (at,) = (await lab.act("list_zones"))["hosts"]
    assert [one["zone"] for one in at["zones"]] == [ZONE]
    with pytest.raises(ServiceValidationError, match="nobody"):
        await lab.act("test_dns_provider", provider="nobody")


async def test_a_name_follows_an_address_until_it_is_removed(lab: Lab) -> None:
    name = f"cam.{ZONE}"
    added = await lab.act("add_dynamic_address", name=f"Cam.{ZONE}", ttl=60)
    assert (added["key"], added["follows_ipv4"], added["follows_ipv6"]) == (name, True, False)

    def heard() -> bool:
        return lab.entry.runtime_data.mirror.has(("dynamic_address", name))

    await becomes(heard, "the name")
    for action in ("pause", "resume"):
        assert (await lab.act(f"{action}_dynamic_address", name=name))["outcome"] == "done"
        assert (await lab.act(f"{action}_dynamic_address", name=name))["outcome"] == "not_needed"
    assert (await lab.act("update_dynamic_address", name=name))["key"] == name
    (at,) = (await lab.act("list_dynamic_addresses"))["hosts"]
    assert name in {one["key"] for one in at["addresses"]}
    assert (await lab.act("remove_dynamic_address", name=name))["outcome"] == "done"
    await becomes(lambda: not heard(), "its end")


async def users_of(lab: Lab, host: str) -> list[str]:
    (at,) = (await lab.act("proxy_report"))["hosts"]
    (route,) = (one for one in at["routes"] if one["key"] == host)
    found: list[str] = route["users"]
    return found


async def test_a_route_keeps_its_passwords_when_its_container_moves(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    host = f"tools.{ZONE}"
    given = {"domain": host, "upstreams": ["192.168.1.9:8080"], "certificate": "none"}
    plan = await lab.act("plan_proxy_route", **given)
    assert plan["difference"]
    assert (await lab.act("set_proxy_route", **given))["outcome"] == "done"

    def heard() -> bool:
        return lab.entry.runtime_data.mirror.has(("proxy_route", host))

    await becomes(heard, "the route")
    form = await begin(lab, "users")
    again = await fill_in(
        lab, form, {"website": host, "users": [{"username": "me", "password": "short"}]}
    )
    assert again["type"] is FlowResultType.FORM
    assert "8" in again["description_placeholders"]["reason"]
    ended = await fill_in(
        lab, again, {"website": host, "users": [{"username": "me", "password": SECRET}]}
    )
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert await users_of(lab, host) == ["me"]
    await lab.act("set_proxy_route", **{**given, "upstreams": "192.168.1.10:8080"})
    assert await users_of(lab, host) == ["me"]
    assert (await lab.act("restore_proxy_route", domain=host))["domain"] == host
    assert (await lab.act("remove_proxy_route", domain=host))["outcome"] == "done"
    await becomes(lambda: not heard(), "its end")
    assert SECRET not in caplog.text


async def test_a_website_keeps_its_passwords_when_it_is_provisioned_again(lab: Lab) -> None:
    wanted = {"device_id": lab.device_id(JELLYFIN), "domain": FILMS, "ipv4": ADDRESS}
    await lab.act("provision_domain", **wanted)
    await becomes(lambda: lab.entry.runtime_data.mirror.has(("proxy_route", FILMS)), "the route")
    form = await begin(lab, "users")
    await fill_in(lab, form, {"website": FILMS, "users": [{"username": "me", "password": SECRET}]})
    await lab.act("provision_domain", **wanted, hsts={"days": 1})
    assert await users_of(lab, FILMS) == ["me"]


async def test_a_certificate_is_ordered_renewed_revoked_and_removed(admin: Lab) -> None:
    def state() -> str | None:
        mirror = admin.entry.runtime_data.mirror
        found = mirror.find(("managed_certificate", FILMS))
        return found and found.state.value

    done = await admin.act("issue_certificate", names=[FILMS, f"*.{FILMS}"], caddy=True)
    assert done["outcome"] == "done"
    await becomes(lambda: state() == "valid", "the certificate")
    done = await admin.act("renew_certificate", certificate=f"*.{FILMS}")
    assert (done["certificate"], done["outcome"]) == (FILMS, "done")
    device = admin.device_id(f"managed_certificate:{FILMS}")
    done = await admin.act("revoke_certificate", device_id=device, reason="superseded")
    assert done["outcome"] == "done"
    await becomes(lambda: state() == "revoked", "its revocation")
    done = await admin.act("remove_certificate", device_id=device)
    assert done["outcome"] == "done"
    await becomes(lambda: state() is None, "its end")
    (at,) = (await admin.act("list_managed_certificates"))["hosts"]
    assert FILMS not in {one["key"] for one in at["certificates"]}
    assert at["account"]["directory"].startswith("https://acme")


async def test_what_only_an_admin_may_is_refused_with_the_scope_that_it_takes(lab: Lab) -> None:
    with pytest.raises(ServiceValidationError, match="scope admin"):
        await lab.act("revoke_certificate", certificate=f"mail.{ZONE}")
    form = await begin(lab, "add_provider", "desec")
    again = await fill_in(lab, form, {"name": "Mine", "token": SECRET})
    assert again["errors"] == {"base": "refused"}
    assert "scope admin" in again["description_placeholders"]["reason"]


async def begin(lab: Lab, *steps: str) -> Any:
    """Open the options and go through menus; return what is shown then."""
    flow = lab.hass.config_entries.options
    shown: Any = await flow.async_init(lab.entry.entry_id)
    for step in steps:
        shown = await flow.async_configure(shown["flow_id"], {"next_step_id": step})
    return shown


async def fill_in(lab: Lab, shown: Any, given: Mapping[str, Any]) -> Any:
    """Fill a form in; return what is shown then, once the agent is done."""
    flow = lab.hass.config_entries.options
    shown = await flow.async_configure(shown["flow_id"], dict(given))
    if shown["type"] is not FlowResultType.SHOW_PROGRESS:
        return shown
    await becomes(lambda: flow.async_get(shown["flow_id"])["step_id"] != "working", "the end")
    return await flow.async_configure(shown["flow_id"])


PROVIDERS: dict[str, dict[str, Any]] = {
    "rfc2136": {
        "server": "192.0.2.53",
        "zones": ["a.example"],
        "key_name": "homelab",
        "key_algorithm": "hmac-sha256",
        "key_secret": "c2VjcmV0IHNlY3JldA==",
    },
    "powerdns": {
        "url": "http://192.0.2.53:8081",
        "api_key": SECRET,
        "server_id": "localhost",
        "verify_tls": True,
    },
    "cloudflare": {"api_token": SECRET},
    "duckdns": {"domains": ["me.duckdns.org"], "token": SECRET},
    "zoneedit": {"zones": ["b.example"], "user": "me", "token": SECRET},
    "desec": {"token": SECRET},
    "lexicon": {"provider": "gandi", "zones": ["c.example"], "options": [f"auth_token={SECRET}"]},
}


@pytest.mark.parametrize("kind", PROVIDERS)
async def test_the_agent_takes_a_provider_of_each_kind_and_what_is_changed_of_it(
    admin: Lab, kind: str
) -> None:
    form = await begin(admin, "add_provider", kind)
    ended = await fill_in(admin, form, {"name": "Mine", **PROVIDERS[kind]})
    assert ended["type"] is FlowResultType.CREATE_ENTRY, ended

    async def mine() -> list[dict[str, Any]]:
        (at,) = (await admin.act("list_dns_providers"))["hosts"]
        return [one for one in at["providers"] if one["key"] == "mine"]

    (added,) = await mine()
    assert (added["type"], SECRET in str(added)) == (kind, False)
    await becomes(
        lambda: admin.entry.runtime_data.mirror.has(("dns_provider", "mine")), "the provider"
    )
    form = await begin(admin, "change_provider")
    form = await fill_in(admin, form, {"provider": "mine"})
    shown = {
        str(line): line.description["suggested_value"]
        for line in form["data_schema"].schema
        if line.description and "suggested_value" in line.description
    }
    ended = await fill_in(admin, form, {**shown, "name": "Ours"})
    assert ended["type"] is FlowResultType.CREATE_ENTRY, ended
    (changed,) = await mine()
    assert (changed["name"], changed["settings"]) == ("Ours", added["settings"])
    form = await begin(admin, "remove_provider")
    ended = await fill_in(admin, form, {"provider": "mine"})
    assert ended["type"] is FlowResultType.CREATE_ENTRY
    assert await mine() == []


async def test_the_demo_runs_no_caddy_and_leaves_none_that_serves(admin: Lab) -> None:
    form = await begin(admin, "proxy", "proxy_managed")
    again = await fill_in(admin, form, {"http_port": 80, "https_port": 443})
    assert "demo" in again["description_placeholders"]["reason"]
    form = await begin(admin, "proxy", "proxy_none")
    again = await fill_in(admin, form, {})
    assert "routes" in again["description_placeholders"]["reason"]
    form = await begin(admin, "proxy", "proxy_own")
    again = await fill_in(admin, form, {"admin": "caddy.lan"})
    assert again["errors"] == {"admin": "refused"}
    typed = {"admin": "http://192.0.2.9:2019", "address": "192.0.2.9", "https_port": 8443}
    ended = await fill_in(admin, again, typed)
    assert ended["type"] is FlowResultType.CREATE_ENTRY


async def test_a_certificate_of_ones_own_is_kept_and_its_key_told_nobody(
    admin: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    good, other = self_signed(FILMS), self_signed("other.example.org")
    form = await begin(admin, "upload")
    typed = {"certificate_pem": good.chain_pem.decode(), "caddy": False}
    again = await fill_in(admin, form, {**typed, "key_pem": other.key_pem.decode()})
    assert again["errors"] == {"key_pem": "refused"}
    ended = await fill_in(admin, again, {**typed, "key_pem": good.key_pem.decode()})
    assert ended["type"] is FlowResultType.CREATE_ENTRY, ended
    (at,) = (await admin.act("list_managed_certificates"))["hosts"]
    (kept,) = (one for one in at["certificates"] if one["key"] == FILMS)
    assert (kept["origin"], kept["state"]) == ("uploaded", "valid")
    for issued in (good, other):
        body = issued.key_pem.decode().splitlines()[1]
        assert body not in caplog.text
        assert body not in repr(again)
        assert body not in repr([state.as_dict() for state in admin.hass.states.async_all()])


async def test_the_authority_is_chosen_and_shown(admin: Lab) -> None:
    form = await begin(admin, "authority")
    typed = {"directory": "ftp://ca.lan", "terms_agreed": True}
    again = await fill_in(admin, form, typed)
    assert again["errors"] == {"directory": "refused"}
    typed |= {"directory": "https://ca.lan/directory", "email": "me@example.org"}
    ended = await fill_in(admin, again, typed)
    assert ended["type"] is FlowResultType.CREATE_ENTRY, ended
    (at,) = (await admin.act("list_managed_certificates"))["hosts"]
    assert at["account"]["directory"] == "https://ca.lan/directory"


@pytest.fixture
async def plain(hass: HomeAssistant, _sockets: None, tmp_path: Path) -> AsyncGenerator[Lab]:
    """Home Assistant with an agent in which nothing is invented, and that has no Docker."""
    nowhere = f"unix://{tmp_path / 'docker.sock'}"
    async with Agent(tmp_path / "agent", docker_url=nowhere) as agent:
        result = await set_up(hass, agent, token=await agent.create_token("all", "admin"))
        lab = Lab(hass, result["result"])
        yield lab
        await hass.config_entries.async_unload(lab.entry.entry_id)
        await hass.async_block_till_done()


@pytest.fixture
async def powerdns(_sockets: None) -> AsyncGenerator[str]:
    """A PowerDNS that knows another key, as it answers; yields its address."""

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"error": "Unauthorized"}, status=HTTPStatus.UNAUTHORIZED)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_wrong_key_is_told_and_nothing_is_left_at_the_agent(
    plain: Lab, powerdns: str, caplog: pytest.LogCaptureFixture
) -> None:
    form = await begin(plain, "add_provider", "powerdns")
    typed = {"name": "Mine", **PROVIDERS["powerdns"], "url": powerdns}
    again = await fill_in(plain, form, typed)
    assert again["errors"] == {"base": "refused"}
    said = again["description_placeholders"]["reason"]
    assert "key" in said.lower(), said
    assert SECRET not in f"{said}{caplog.text}"
    (at,) = (await plain.act("list_dns_providers"))["hosts"]
    assert at["providers"] == []


async def test_a_caddy_that_is_not_there_is_told(plain: Lab, tmp_path: Path) -> None:
    form = await begin(plain, "proxy", "proxy_own")
    again = await fill_in(plain, form, {"admin": f"unix/{tmp_path / 'caddy.sock'}"})
    assert again["type"] is FlowResultType.FORM
    assert "caddy.sock" in again["description_placeholders"]["reason"]
    form = await begin(plain, "proxy", "proxy_managed")
    again = await fill_in(plain, form, {"http_port": free_port(), "https_port": free_port()})
    assert again["step_id"] == "proxy_managed"
    assert "Docker" in again["description_placeholders"]["reason"]
