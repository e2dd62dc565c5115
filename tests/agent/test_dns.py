"""DNS over the API of a real agent, in its invented homelab: plans, applying, and bad input."""

from typing import Any

import pytest

from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZONE = "home.example.org"


def wanted(name: str, record_type: str, *values: str, **more: object) -> dict[str, Any]:
    return {"wanted": [{"name": name, "type": record_type, "values": list(values), **more}]}


async def test_a_plan_is_applied_by_its_hash_and_served_by_every_name_server(
    agent: Agent, token: str
) -> None:
    body = wanted(f"Wiki.{ZONE}.", "A", "203.0.113.77", ttl_s=300)
    status, plan = await agent.ask("POST", "/dns/plan", body, token=token)
    assert (status, plan["zone"], plan["needs_admin"]) == (200, ZONE, None)
    assert plan["text"] == f"create wiki.{ZONE} A: 203.0.113.77 (TTL 300 s)"

    status, refused = await agent.ask(
        "POST", "/dns/apply", {**body, "plan_hash": "0" * 64}, token=token
    )
    assert (status, refused["code"], refused["field"]) == (409, "conflict", "plan_hash")
    apply = {**body, "plan_hash": plan["hash"]}
    status, applied = await agent.ask("POST", "/dns/apply", apply, token=token)
    assert (status, applied["outcome"]) == (200, "done")
    assert [step["name"] for step in applied["job"]["steps"]] == ["check", "write", "verify"]

    path = f"/dns/answers?name=WIKI.{ZONE}&type=A"
    _, answers = await agent.ask("GET", path, token=token)
    assert answers["agree"]
    assert [each["values"] for each in answers["servers"]] == [["203.0.113.77"]] * 2

    _, zone = await agent.ask("GET", f"/dns/zones/{ZONE}?text=wiki", token=token)
    assert [each["name"] for each in zone["records"]] == [f"wiki.{ZONE}"]


@pytest.mark.parametrize(
    ("body", "status", "field", "says"),
    [
        (wanted(f"a..{ZONE}", "A", "192.0.2.1"), 422, "wanted.0.name", "empty part"),
        (wanted(f"{'a' * 64}.{ZONE}", "A", "192.0.2.1"), 422, "wanted.0.name", "too long"),
        (wanted(f"my_nas.{ZONE}", "A", "192.0.2.1"), 422, "wanted.0.name", "underscore"),
        (wanted(f"a.*.{ZONE}", "A", "192.0.2.1"), 422, "wanted.0.name", "wildcard"),
        (wanted(f"☃.{ZONE}", "A", "192.0.2.1"), 422, "wanted.0.name", "cannot be written"),
        (wanted("nas.example.net", "A", "192.0.2.1"), 404, "wanted.0.name", "Nobody manages"),
        (wanted(f"nas.{ZONE}", "A", "nas"), 422, "wanted.0.values.0", "no IPv4"),
        (wanted(f"nas.{ZONE}", "MX", "mail"), 422, "wanted.0.values.0", "no MX"),
        (
            wanted(f"nas.{ZONE}", "A", "192.0.2.1", "192.0.2.1"),
            422,
            "wanted.0.values.1",
            "twice",
        ),
        (wanted(f"nas.{ZONE}", "A", "192.0.2.1", ttl_s=0), 422, "wanted.0.ttl_s", "greater"),
        (wanted(f"nas.{ZONE}", "A", "192.0.2.1", ttl_s=5), 422, "wanted.0.ttl_s", "smallest"),
        (wanted(f"nas.{ZONE}", "A", "192.0.2.1", ttl_s=2**31), 422, "wanted.0.ttl_s", "less"),
        (wanted(f"nas.{ZONE}", "CNAME", ZONE), 409, "wanted.0.type", "stands alone"),
        (wanted(ZONE, "CNAME", "www.example.net"), 422, "wanted.0.type", "zone's own name"),
        (wanted(ZONE, "NS"), 422, "wanted.0.values", "without name servers"),
        (
            {**wanted(f"nas.{ZONE}", "A", "192.0.2.1"), "provider": "nobody"},
            404,
            "provider",
            "no DNS provider",
        ),
        (
            {**wanted(f"nas.{ZONE}", "A", "192.0.2.1"), "zone": f"nas.{ZONE}"},
            404,
            "zone",
            "no zone of its own",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(
    agent: Agent, token: str, body: dict[str, Any], status: int, field: str, says: str
) -> None:
    answered, problem = await agent.ask("POST", "/dns/plan", body, token=token)
    assert (answered, problem["field"]) == (status, field), problem
    assert says in problem["detail"]


async def test_a_provider_is_set_up_by_an_admin_and_its_secret_never_shown(
    agent: Agent, token: str
) -> None:
    secret = "not-to-be-seen-by-anybody"
    body = {"name": "My Cloud", "settings": {"type": "cloudflare", "api_token": secret}}
    status, _ = await agent.ask("POST", "/dns/providers", body, token=token)
    assert status == 403

    admin = await agent.create_token("admin", scope="admin")
    status, added = await agent.ask("POST", "/dns/providers", body, token=admin)
    assert (status, added["key"]) == (200, "my-cloud")
    _, listed = await agent.ask("GET", "/dns/providers", token=token)
    _, activity = await agent.ask("GET", "/activity", token=token)
    assert secret not in f"{added}{listed}{activity}{agent.log.read_text()}"

    status, _ = await agent.ask("DELETE", "/dns/providers/my-cloud", token=admin)
    assert status == 200
    status, problem = await agent.ask("DELETE", "/dns/providers/invented", token=admin)
    assert (status, problem["code"]) == (409, "conflict")
