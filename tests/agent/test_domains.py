"""The API of domains, as a program meets it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.harness.agent import Agent
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZONE = "home.example.org"


@dataclass
class Api:
    """An agent with the invented homelab, and tokens."""

    agent: Agent
    tokens: dict[str, str]

    async def ask(
        self, method: str, path: str, body: object = None, *, scope: str = "operate"
    ) -> Any:
        status, answer = await self.agent.ask(method, path, body, token=self.tokens[scope])
        assert status == 200, answer
        return answer

    async def refused(
        self, method: str, path: str, body: object = None, *, scope: str = "operate"
    ) -> tuple[int, Any]:
        status, answer = await self.agent.ask(method, path, body, token=self.tokens[scope])
        assert status >= 400, answer
        return status, answer

    async def text(self, path: str) -> tuple[str, str]:
        headers = {"Authorization": f"Bearer {self.tokens['read']}"}
        async with (
            ClientSession(headers=headers, raise_for_status=True) as session,
            session.get(f"{self.agent.url}/api/v1{path}") as answer,
        ):
            return answer.content_type, (await answer.read()).decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with Agent(tmp_path_factory.mktemp("agent"), demo=True) as agent:
        tokens = {scope: await agent.create_token(scope, scope) for scope in ("read", "operate")}
        yield Api(agent, tokens)


async def test_a_domain_from_its_wish_to_its_records_and_back(api: Api) -> None:
    wish = {"name": f"Blog.{ZONE}.", "records": [{"type": "CNAME", "values": [ZONE]}]}
    made = await api.ask("POST", "/domains", wish)
    assert (made["id"], made["zone"], made["provider"]) == (f"blog.{ZONE}", ZONE, "invented")
    path = f"/domains/blog.{ZONE}"
    plan = await api.ask("POST", f"{path}/plan", {})
    done = await api.ask("POST", f"{path}/apply", {"plan_hash": plan["hash"]})
    assert done["outcome"] == "done"
    assert (await api.ask("POST", f"{path}/check"))["status"] == "healthy"
    health = await api.ask("GET", f"{path}/health", scope="read")
    assert [each["name"] for each in health["checks"]] == [
        "records",
        "reachable",
        "https",
        "certificate",
        "proxy",
    ]
    removal = await api.ask("POST", f"{path}/plan", {"remove": True})
    await api.ask("DELETE", f"{path}?plan_hash={removal['hash']}")
    assert (await api.refused("GET", path))[0] == 404
    events = (await api.ask("GET", f"{path}/events", scope="read"))["events"]
    asked = [each["type"] for each in events if each["caller"] == "operate"]
    assert asked == ["deleted", "dns_applied", "dns_applied", "created"]
    # The agent looks at its domains by itself, too, and may have looked in between.
    noticed = {each["type"] for each in events if each["caller"] != "operate"}
    assert noticed <= {"unhealthy", "recovered"}


async def test_what_is_applied_past_it_is_in_its_history(api: Api) -> None:
    wanted = {"wanted": [{"name": f"nas.{ZONE}", "type": "A", "values": ["192.168.1.99"]}]}
    plan = await api.ask("POST", "/dns/plan", wanted)
    await api.ask("POST", "/dns/apply", {**wanted, "plan_hash": plan["hash"]})
    events = (await api.ask("GET", f"/domains/nas.{ZONE}/events"))["events"]
    # The agent looks at its domains by itself, too, and may have noticed something since.
    event = next(each for each in events if each["caller"] == "operate")
    assert event["type"] == "dns_applied"
    assert event["before"][0]["values"] == ["192.168.1.10"]
    assert event["after"][0]["values"] == ["192.168.1.99"]


async def test_every_name_has_a_path(api: Api) -> None:
    for name in ("*.lab.example.org", "_dmarc.lab.example.org", "büro.example"):
        made = await api.ask("POST", "/domains", {"name": name})
        quoted = made["id"].replace("*", "%2A")
        assert (await api.ask("GET", f"/domains/{quoted}"))["id"] == made["id"]
        await api.ask("PUT", f"/domains/{quoted}", {"note": "n"})
        await api.ask("DELETE", f"/domains/{quoted}")


async def test_who_may_only_read_changes_nothing(api: Api) -> None:
    for method, path, body in (
        ("POST", "/domains", {"name": "a.example.org"}),
        ("PATCH", f"/domains/{ZONE}", {"note": "x"}),
        ("DELETE", f"/domains/{ZONE}", None),
        ("POST", "/domains/import", {"text": "x"}),
        ("POST", f"/domains/{ZONE}/apply", {"plan_hash": "0" * 32}),
    ):
        status, problem = await api.refused(method, path, body, scope="read")
        assert (status, problem["code"]) == (403, "denied")


WRONG: tuple[tuple[dict[str, object], str], ...] = (
    ({"name": "a..example.org"}, "name"),
    ({"name": "a.example.org", "records": [{"type": "A", "values": ["x"]}]}, "records.0.value"),
    ({"name": "a.example.org", "records": [{"type": "SPF", "values": ["x"]}]}, "records.0.typ"),
    (
        {
            "name": "a.example.org",
            "records": [{"type": "A", "values": ["192.0.2.1"], "ttl_s": 0}],
        },
        "records.0.ttl_s",
    ),
    ({"name": "a.example.org", "color": "red"}, "color"),
    ({"name": "a.example.org", "note": "x" * 501}, "note"),
)


async def test_a_wrong_field_is_named(api: Api) -> None:
    for body, field in WRONG:
        status, problem = await api.refused("POST", "/domains", body)
        assert status == 422
        assert problem["field"].startswith(field)


async def test_export_and_import_over_the_wire(api: Api) -> None:
    kind, text = await api.text("/domains/export?format=csv")
    assert kind == "text/csv"
    plan = await api.ask("POST", "/domains/import", {"format": "csv", "text": text})
    assert {each["action"] for each in plan["changes"]} == {"keep"}
    broken = f"{text}broken.example.org,web,,,,false,A,60,192.0.2.256\r\n"
    status, problem = await api.refused(
        "POST", "/domains/import", {"format": "csv", "text": broken}
    )
    rows = broken.count("\r\n")
    assert (status, problem["row"], problem["column"]) == (422, rows, "value")


async def test_two_who_create_the_same_at_once_make_one(api: Api) -> None:
    wish = {"name": "race.example.org"}
    answers = await asyncio.gather(
        *(api.agent.ask("POST", "/domains", wish, token=api.tokens["operate"]) for _ in range(5))
    )
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]


async def test_the_demo_shows_domains_of_all_kinds_and_states(api: Api) -> None:
    summary = await api.ask("GET", "/domains/summary", scope="read")
    assert summary["total"] >= 12
    assert {"web", "mail", "verification", "other"} <= set(summary["by_service_type"])
    report = await api.ask("GET", "/domains/health", scope="read")
    assert len(report["domains"]) == summary["total"]

    async def is_unhealthy() -> bool:
        found = await api.ask("GET", f"/domains/git.{ZONE}", scope="read")
        return bool(found["status"] == "unhealthy")

    await wait_until(is_unhealthy, what="the first look at a domain that is not well")
