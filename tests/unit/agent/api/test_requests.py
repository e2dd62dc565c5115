import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from homelab_agent.api.request_parsing import MAX_BODY_BYTES
from tests.harness.waiting import wait_until
from tests.unit.agent.api.conftest import Door, Doors


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("count=many", "count"),
        ("count=10", "count"),
        ("count=1&count=2", "count"),
        ("text=a%00b", "text"),
        ("tags=a&tags=b%00", "tags.1"),
        ("at=yesterday", "at"),
        ("%F0%9F%A6%8A=1", "\\U0001f98a"),
    ],
)
async def test_a_wrong_query_parameter_is_named(door: Door, query: str, field: str) -> None:
    answer = await door.ask(f"/api/v1/try?{query}")
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "invalid", field)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_query_is_converted_from_text(door: Door) -> None:
    answer = await door.ask("/api/v1/try?text=fox%20hole&count=3&tags=a&tags=b")
    assert answer.status == 200
    assert answer.json["text"] == "fox hole 3 a,b"


async def test_a_query_to_what_takes_none_is_refused(door: Door) -> None:
    answer = await door.ask("/api/v1/try/open?verbose=1", token="")
    assert (answer.status, answer.json["field"]) == (422, "verbose")
    answer = await door.ask("/api/v1/openapi.json?pretty=1")
    assert (answer.status, answer.json["field"]) == (422, "pretty")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"count": "1"}, "count"),
        ({"count": 1.5}, "count"),
        ({"count": True}, "count"),
        ({"count": None}, "count"),
        ({"inner": {"deep": 1}}, "inner.deep"),
        ({"inner": []}, "inner"),
        ({"text": "a\0b"}, "text"),
        ({"inner": {"text": "\0"}}, "inner.text"),
        ({"labels": {"a\0": "b"}}, "labels"),
        ({"notes": ["fine", "\0"]}, "notes.1"),
        ([], "body"),
        ("text", "body"),
        (7, "body"),
    ],
)
async def test_a_wrong_field_of_a_body_is_named(door: Door, body: object, field: str) -> None:
    answer = await door.ask("/api/v1/try/box/order", method="POST", body=body)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "invalid", field)


async def test_a_missing_field_is_named(door: Door) -> None:
    answer = await door.ask("/api/v1/need", method="POST", body={})
    assert (answer.status, answer.json["field"]) == (422, "text")
    assert "missing" in str(answer.json["detail"])


async def test_a_wrong_value_is_not_answered_in_full_length(door: Door) -> None:
    body = {"text": "x", "address": "9" * 70_000}
    answer = await door.ask("/api/v1/need", method="POST", body=body)
    assert (answer.status, answer.json["field"]) == (422, "address")
    assert len(str(answer.json["detail"])) < 500


async def test_an_unknown_field_comes_with_the_known_ones(door: Door) -> None:
    answer = await door.ask("/api/v1/try/box/order", method="POST", body={"txt": "x"})
    assert answer.json["hint"] == "Known are: text, count, inner, labels, notes."


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"{'a': 1}", b"[" * 5000, b'{"text": "\xed"}'])
async def test_broken_json_is_called_unreadable(door: Door, data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await door.ask("/api/v1/try/box/order", method="POST", data=data, headers=headers)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "malformed", "body")


async def test_what_is_no_json_by_its_own_word_is_refused(door: Door) -> None:
    headers = {"Content-Type": "text/yaml"}
    answer = await door.ask("/api/v1/need", method="POST", data=b"text: x", headers=headers)
    assert (answer.status, answer.json["code"]) == (400, "malformed")
    assert answer.json["field"] == "Content-Type"


async def test_a_body_over_the_limit_is_refused_however_it_is_sent(door: Door) -> None:
    large = json.dumps({"text": "x" * MAX_BODY_BYTES}).encode()
    headers = {"Content-Type": "application/json"}
    answer = await door.ask("/api/v1/need", method="POST", data=large, headers=headers)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (413, "too_large", "body")

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * (MAX_BODY_BYTES // 16)

    async with door.session.post(
        f"{door.url}/api/v1/need",
        data=in_pieces(),
        headers=headers | {"Authorization": f"Bearer {door.secret}"},
    ) as answered:
        assert answered.status == 413
        assert (await answered.json(content_type=None))["code"] == "too_large"


async def test_a_body_of_exactly_the_limit_is_taken(door: Door) -> None:
    frame = len(json.dumps({"text": ""}))
    body = json.dumps({"text": "x" * (MAX_BODY_BYTES - frame)}).encode()
    headers = {"Content-Type": "application/json"}
    answer = await door.ask("/api/v1/need", method="POST", data=body, headers=headers)
    assert answer.status == 200


async def test_a_command_needs_no_body(door: Door) -> None:
    for data in (None, b"", b"{}", b"  "):
        headers = {"Content-Type": "application/json"}
        answer = await door.ask("/api/v1/try/box/order", method="POST", data=data, headers=headers)
        assert answer.status == 200, answer.text


async def test_a_body_for_what_takes_none_is_refused(door: Door) -> None:
    answer = await door.ask("/api/v1/done", method="POST", body={"force": True})
    assert (answer.status, answer.json["field"]) == (422, "body")
    assert (await door.ask("/api/v1/done", method="POST", body={})).status == 200


@pytest.mark.parametrize("name", ["a%00b", "%0A", "x" * 301])
async def test_what_cannot_be_a_name_is_not_found(door: Door, name: str) -> None:
    answer = await door.ask(f"/api/v1/try/{name}")
    assert (answer.status, answer.json["code"]) == (404, "not_found")


async def test_a_name_may_hold_what_names_hold(door: Door) -> None:
    answer = await door.ask("/api/v1/try/shop:web:1")
    assert answer.json["name"] == "shop:web:1"
    answer = await door.ask("/api/v1/try/a%2Fb%20c%25")
    assert answer.json["name"] == "a/b c%"


async def test_a_body_that_stalls_is_given_up(doors: Doors) -> None:
    door = await doors.open(body_deadline_s=0.05)
    reader, writer = await asyncio.open_connection(door.host, door.port)
    head = (
        f"POST /api/v1/need HTTP/1.1\r\nHost: agent\r\nAuthorization: Bearer {door.secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + b"{")
    async with asyncio.timeout(30):
        assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
        writer.write(b"x" * 9)
        assert b'"field":"body"' in await reader.read()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Transfer-Encoding: chunked", b"zz\r\n"),
        ("Transfer-Encoding: chunked", b"5\r\n{}\r\n0\r\n\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 5", b"nogzi"),
    ],
)
async def test_a_body_in_a_broken_wrapping_is_called_unreadable(
    door: Door, headers: str, body: bytes
) -> None:
    reader, writer = await asyncio.open_connection(door.host, door.port)
    head = (
        f"POST /api/v1/need HTTP/1.1\r\nHost: agent\r\nAuthorization: Bearer {door.secret}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\n{headers}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    async with asyncio.timeout(30):
        answer = await reader.read()
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    writer.close()
    await writer.wait_closed()


async def test_a_small_body_that_unfolds_to_a_huge_one_is_refused(door: Door) -> None:
    data = gzip.compress(json.dumps({"text": "x" * MAX_BODY_BYTES * 8}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await door.ask("/api/v1/need", method="POST", data=data, headers=headers)
    assert (answer.status, answer.json["code"]) == (413, "too_large")


async def test_a_client_that_leaves_in_the_middle_is_no_error(
    door: Door, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection(door.host, door.port)
    writer.write(
        b"POST /api/v1/need HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + door.secret.encode() + b"\r\nContent-Length: 10\r\n\r\n{"
    )
    await writer.drain()
    writer.transport.abort()
    said = ""

    async def noticed() -> bool:
        nonlocal said
        said += "".join(capfd.readouterr())
        return "status=400" in said

    await wait_until(noticed, what="the end of the request")
    assert "client_left" in said
    assert "error" not in said
    assert not caplog.records
