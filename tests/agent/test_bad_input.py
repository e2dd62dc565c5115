"""Bad input gets a problem that names the field, never a trace, and changes nothing."""

import json
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

CADDY = "edge:caddy:1"
STOP = f"/api/v1/containers/{CADDY}/stop"
LOGS = f"/api/v1/containers/{CADDY}/logs"
MIB = 1024 * 1024


@pytest.fixture
def ask(agent: Agent, token: str, session: ClientSession) -> Any:
    async def ask(method: str, path: str, **more: Any) -> tuple[ClientResponse, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        async with session.request(method, agent.url + path, headers=headers, **more) as answer:
            text = await answer.text()
        assert answer.content_type == "application/problem+json"
        assert "Traceback" not in text
        return answer, json.loads(text)

    return ask


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/api/v1/containers/nobody", None, 404, "not_found", None),
        ("GET", "/api/v1/no/such/path", None, 404, "not_found", None),
        ("PUT", STOP, None, 405, "method_not_allowed", None),
        ("POST", STOP, b'{"timeout_s": "soon"}', 422, "invalid", "timeout_s"),
        ("POST", STOP, b'{"timeout_s": -1}', 422, "invalid", "timeout_s"),
        ("POST", STOP, b'{"when": "now"}', 422, "invalid", "when"),
        ("POST", STOP, b"[1, 2]", 422, "invalid", "body"),
        ("POST", STOP, b'{"timeout_s": ', 400, "malformed", "body"),
        ("GET", f"{LOGS}?tail=many", None, 422, "invalid", "tail"),
        ("GET", f"{LOGS}?tail=0", None, 422, "invalid", "tail"),
        ("GET", f"{LOGS}?lines=5", None, 422, "invalid", "lines"),
        ("GET", f"{LOGS}?since=yesterday", None, 422, "invalid", "since"),
        ("GET", "/api/v1/containers?state=asleep", None, 422, "invalid", "state"),
        ("GET", "/api/v1/jobs/nothing", None, 404, "not_found", None),
    ],
)
async def test_wrong_input_is_answered_with_what_is_wrong(
    ask: Any, method: str, path: str, body: bytes | None, status: int, code: str, field: str | None
) -> None:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    answer, problem = await ask(method, path, data=body, headers=headers)
    assert (answer.status, problem["code"], problem.get("field")) == (status, code, field)
    assert problem["detail"]


async def test_a_body_beyond_one_mebibyte_is_not_read(ask: Any) -> None:
    headers = {"Content-Type": "application/json"}
    answer, problem = await ask("POST", STOP, data=BytesIO(b" " * (MIB + 1)), headers=headers)
    assert (answer.status, problem["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer hl_00000000_wrong", "Basic dXNlcjpwYXNz"]
)
async def test_without_a_good_token_nothing_is_told(ask: Any, header: str) -> None:
    answer, problem = await ask("GET", "/api/v1/containers", headers={"Authorization": header})
    assert (answer.status, problem["code"]) == (401, "unauthenticated")


async def test_health_needs_no_token(agent: Agent) -> None:
    assert (await agent.get("/api/v1/health"))["status"] == "ok"
