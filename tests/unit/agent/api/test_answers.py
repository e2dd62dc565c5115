import asyncio
import json
import re
import socket
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession, Fingerprint

from homelab_agent.api.problems import wire_errors
from homelab_agent.api.tls import open_files, open_self_signed
from homelab_agent.platform.errors import SettingsError
from tests.unit.agent.api.conftest import Door, Doors

GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\r\n\r\n",
    b"FOO BAR BAZ QUX\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/v1/need HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000 + b"\r\n\r\n",
    b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x00" * 200 + b"\r\n\r\n",
)


async def test_an_unknown_path_says_where_the_known_ones_are(door: Door) -> None:
    answer = await door.ask("/api/v1/nothing")
    assert answer.json == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "There is nothing at /api/v1/nothing.",
        "code": "not_found",
        "hint": "GET /api/v1/openapi.json lists what there is.",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_a_verb_that_was_not_declared_does_not_exist(door: Door, method: str) -> None:
    answer = await door.ask("/api/v1/try", method=method)
    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET,HEAD"


async def test_options_tell_what_a_path_takes(door: Door) -> None:
    answer = await door.ask("/api/v1/try/box", method="OPTIONS", token="")
    assert answer.status == 204
    assert answer.headers["Allow"] == "DELETE,GET,HEAD,OPTIONS"
    assert (await door.ask("/api/v1/nothing", method="OPTIONS", token="")).status == 404


async def test_head_answers_like_get_without_the_body(door: Door) -> None:
    shown = await door.ask("/api/v1/try/box")
    answer = await door.ask("/api/v1/try/box", method="HEAD")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["Content-Length"] == str(len(shown.text))
    assert (await door.ask("/api/v1/try/box", method="HEAD", token="")).status == 401


async def test_what_nobody_expected_is_answered_without_details(
    door: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await door.ask("/api/v1/broken")
    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert "drawer" not in answer.text
    assert "Traceback" not in answer.text
    logged = "".join(capfd.readouterr())
    assert str(answer.json["request_id"]) in logged
    assert answer.headers["X-Request-ID"] == answer.json["request_id"]
    assert "drawer 7" in logged


async def test_an_expected_failure_brings_hint_and_more_members(door: Door) -> None:
    answer = await door.ask("/api/v1/away")
    assert answer.status == 503
    assert answer.json["since"] == "today"
    assert answer.json["hint"] == "Wait."
    assert answer.headers["Retry-After"] == "2"
    busy = await door.ask("/api/v1/busy", method="POST")
    assert (busy.status, busy.json["code"], busy.json["job_id"]) == (409, "busy", "j1")


async def test_a_command_that_still_runs_is_told_apart_from_one_that_ended(door: Door) -> None:
    assert (await door.ask("/api/v1/plain", method="POST")).status == 202
    assert (await door.ask("/api/v1/done", method="POST")).status == 200


async def test_answers_are_kept_out_of_caches_and_tell_nothing_of_the_program(door: Door) -> None:
    for path in ("/api/v1/try/box", "/nothing"):
        headers = (await door.ask(path)).headers
        assert headers["Server"] == "homelab-agent"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_the_description_lists_what_is_served(door: Door) -> None:
    answer = await door.ask("/api/v1/openapi.json")
    paths = answer.json["paths"]
    assert isinstance(paths, dict)
    assert {"/api/v1/try/{name}/order", "/metrics", "/api/v1/stream"} <= set(paths)


async def test_prometheus_reads_requests_by_route_and_not_by_path(door: Door) -> None:
    await door.ask("/api/v1/try/one")
    await door.ask("/api/v1/try/two")
    await door.ask("/nothing/at/all")
    answer = await door.ask("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=1.0.0")
    line = 'request_seconds_count{method="GET",route="/api/v1/try/{name}",status="200"} 2.0'
    assert line in answer.text
    assert "/nothing" not in answer.text


async def test_every_error_has_a_code_and_a_status_of_its_own() -> None:
    errors = wire_errors()
    assert len({error.code for error in errors}) == len(errors)
    assert all(400 <= error.status < 600 for error in errors)
    assert {"settings", "store"}.isdisjoint(error.code for error in errors)


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: repr(garbage[:12]))
async def test_what_is_no_http_gets_no_trace(door: Door, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection(door.host, door.port)
    writer.write(garbage)
    writer.write_eof()
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"Traceback" not in answer
    assert b"/homelab_agent/" not in answer
    assert not answer or re.match(rb"HTTP/\d\.\d 4\d\d ", answer)
    assert (await door.ask("/api/v1/try/open", token="")).status == 200


async def test_a_taken_port_is_named(doors: Doors) -> None:
    first = await doors.open()
    second = await doors.open()
    await second.server.close()
    with pytest.raises(SettingsError) as refused:
        await second.server.start(first.host, first.port)
    assert str(first.port) in refused.value.message
    assert refused.value.field == "listen"


async def test_who_is_being_answered_when_the_agent_stops_gets_the_answer(door: Door) -> None:
    asking = asyncio.ensure_future(door.ask("/api/v1/slow"))
    await door.routes.begun.wait()
    closing = asyncio.ensure_future(door.server.close())
    await asyncio.sleep(0)
    door.routes.hold.set()
    assert (await asking).json["text"] == "at last"
    await closing


async def test_nobody_is_let_in_while_the_agent_stops(door: Door) -> None:
    await door.server.close()
    with pytest.raises(ConnectionRefusedError), socket.create_connection((door.host, door.port)):
        pass


async def test_home_assistant_can_pin_the_certificate(door: Door, tmp_path: Path) -> None:
    await door.server.close()
    tls = await asyncio.to_thread(open_self_signed, tmp_path, "the-host")
    host, port = await door.server.start("127.0.0.1", 0, tls)
    async with ClientSession() as session:
        url = f"https://{host}:{port}/api/v1/try/open"
        pin = Fingerprint(bytes.fromhex(tls.fingerprint))
        async with session.get(url, ssl=pin) as answer:
            assert answer.status == 200
    again = await asyncio.to_thread(open_self_signed, tmp_path, "the-host")
    assert again.fingerprint == tls.fingerprint


def test_the_key_is_for_the_agent_alone(tmp_path: Path) -> None:
    tls = open_self_signed(tmp_path, "ein-langer-höst")
    assert (tmp_path / "tls.pem").stat().st_mode & 0o777 == 0o600
    assert len(tls.fingerprint) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["tls.pem"]


def test_an_unusable_certificate_keeps_the_agent_from_starting_and_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    own = tmp_path / "tls.pem"
    open_self_signed(tmp_path, "host")
    for certificate, key in ((broken, broken), (tmp_path / "none.pem", own), (own, broken)):
        with pytest.raises(SettingsError) as refused:
            open_files(certificate, key)
        assert str(certificate) in refused.value.message
    with pytest.raises(SettingsError, match="tls_key"):
        open_files(own, None)


def test_a_certificate_of_the_users_own_is_taken(tmp_path: Path) -> None:
    tls = open_self_signed(tmp_path, "host")
    own = tmp_path / "tls.pem"
    assert open_files(own, own).fingerprint == tls.fingerprint
    assert isinstance(tls.context, ssl.SSLContext)


async def test_the_problem_is_json_that_every_client_reads(door: Door) -> None:
    async with door.session.get(f"{door.url}/nothing") as answer:
        assert json.loads(await answer.read())["status"] == answer.status
