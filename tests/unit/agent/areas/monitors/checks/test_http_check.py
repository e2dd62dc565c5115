import asyncio
import gzip
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr, ValidationError

from homelab_agent.areas.monitors.check_settings import HttpCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.http_check import HttpCheck
from homelab_agent.areas.monitors.checks.web import MOST_BODY_BYTES, MOST_REDIRECTS, Web
from homelab_agent.platform.outbound.connections import Outbound
from tests.fakes.services.faults import closes, hangs, reset, resets, says
from tests.fakes.services.http import END, answer, answers, answers_by_path, json_answer
from tests.fakes.services.server import Talk, own_sockets, serving
from tests.fakes.tls_servers import Authority, Issued
from tests.fakes.tls_servers.authority import self_signed

ENOUGH_S = 20.0
SHORT_S = 0.5


@pytest.fixture
def check(web: Web) -> HttpCheck:
    return HttpCheck(web)


async def ask(check: HttpCheck, talk: Talk, path: str = "/", **settings: Any) -> CheckOutcome:
    async with serving(talk) as service:
        asked = HttpCheckSettings(url=service.url + path, **settings)
        return await check.run(asked, ENOUGH_S, allow_guarded=False)


@pytest.mark.parametrize(
    ("status", "expected", "ok"),
    [
        ("200 OK", ("200-399",), True),
        ("399 Odd", ("200-399",), True),
        ("400 Bad Request", ("200-399",), False),
        ("401 Unauthorized", ("200", "401"), True),
        ("500 Oops", ("200", "502-504"), False),
        ("204 No Content", ("204",), True),
    ],
)
async def test_only_a_status_that_is_asked_for_is_right(
    check: HttpCheck,
    status: str,
    expected: tuple[str, ...],
    ok: bool,  # noqa: FBT001
) -> None:
    outcome = await ask(check, answers(answer(status=status)), status=expected)
    assert outcome.ok is ok
    assert outcome.status == int(status[:3])
    assert outcome.response_ms is not None
    if not ok:
        assert outcome.code == CheckCode.WRONG_STATUS
        assert f"answered {status[:3]}, and not {' or '.join(expected)}." in (outcome.reason or "")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"contains": "Grüße"}, None),
        ({"contains": "Gruesse"}, CheckCode.WRONG_BODY),
        ({"not_contains": "error"}, None),
        ({"not_contains": "Grüße"}, CheckCode.WRONG_BODY),
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "no-such-charset", "undefined"])
async def test_the_text_of_a_page_is_looked_for_in_its_own_charset(
    check: HttpCheck, settings: dict[str, str], code: CheckCode | None, charset: str
) -> None:
    body = "<p>Grüße</p>".encode(charset if charset.startswith("iso") else "utf-8")
    page = answer(body, headers={"Content-Type": f"text/html; charset={charset}"})
    assert (await ask(check, answers(page), **settings)).code == code


DOCUMENT = {"data": [{"state": "on", "n": 1, "t": True}], "a/b": {"~": None}}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("/data/0/state", "on", None),
        ("/data/0/state", "off", CheckCode.WRONG_VALUE),
        ("/data/0/state", None, None),
        ("/data/0/n", 1.0, None),
        ("/data/0/t", 1, CheckCode.WRONG_VALUE),
        ("/data/0/t", True, None),
        ("/data/1", None, CheckCode.WRONG_VALUE),
        ("/data/-1", None, CheckCode.WRONG_VALUE),
        ("/data/00", None, CheckCode.WRONG_VALUE),
        ("/a~1b/~0", None, None),
        ("", DOCUMENT, None),
    ],
)
async def test_a_value_in_json_is_compared_as_json(
    check: HttpCheck, path: str, value: object, code: CheckCode | None
) -> None:
    page = answers(json_answer(DOCUMENT))
    assert (await ask(check, page, json_path=path, json_value=value)).code == code


async def test_a_wrong_value_is_told_with_the_one_that_is_there(check: HttpCheck) -> None:
    outcome = await ask(
        check, answers(json_answer(DOCUMENT)), json_path="/data/0/t", json_value="on"
    )
    assert 'answered true at "/data/0/t", and not "on".' in (outcome.reason or "")


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 200_000, b"\xff\xfe{}", b"{} {}"])
async def test_what_is_not_json_is_told_so(check: HttpCheck, body: bytes) -> None:
    outcome = await ask(check, answers(answer(body)), json_path="/a")
    assert outcome.code == CheckCode.BAD_ANSWER


async def test_a_redirect_is_followed_to_the_last_page(check: HttpCheck) -> None:
    pages = answers_by_path(
        {
            "/": answer(status="302 Found", headers={"Location": "/next"}),
            "/next": answer(status="308 There", headers={"Location": "last#top"}),
            "/last": answer(b"here"),
        }
    )
    assert (await ask(check, pages, contains="here", status=("200",))).ok


async def test_a_redirect_is_an_answer_where_it_is_not_to_be_followed(check: HttpCheck) -> None:
    page = answers(answer(status="302 Found", headers={"Location": "/login"}))
    outcome = await ask(check, page, follow_redirects=False, status=("302",))
    assert (outcome.ok, outcome.status) == (True, 302)


async def test_a_redirect_loop_ends_at_once(check: HttpCheck) -> None:
    pages = answers_by_path(
        {
            "/": answer(status="302 Found", headers={"Location": "/a"}),
            "/a": answer(status="302 Found", headers={"Location": "/"}),
        }
    )
    assert (await ask(check, pages)).code == CheckCode.REDIRECT_LOOP


async def test_redirects_without_end_end(check: HttpCheck) -> None:
    pages = {
        f"/{number}": answer(status="302 Found", headers={"Location": f"/{number + 1}"})
        for number in range(MOST_REDIRECTS + 2)
    }
    outcome = await ask(check, answers_by_path(pages), "/0")
    assert outcome.code == CheckCode.TOO_MANY_REDIRECTS


@pytest.mark.parametrize("location", ["ftp://192.0.2.1/", "http://[", "javascript:x"])
async def test_a_redirect_to_nowhere_is_no_good_answer(check: HttpCheck, location: str) -> None:
    page = answers(answer(status="301 Moved", headers={"Location": location}))
    assert (await ask(check, page)).code == CheckCode.BAD_ANSWER


async def test_secrets_are_not_carried_to_another_server(check: HttpCheck) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(END))
        writer.write(answer())

    async with serving(listen) as other:
        page = answers(answer(status="307 There", headers={"Location": other.url}))
        headers = {"X-Api-Key": SecretStr("correct-horse")}
        assert (await ask(check, page, headers=headers)).ok
    assert heard
    assert b"correct-horse" not in heard[0]


async def test_a_form_that_is_redirected_becomes_a_question(check: HttpCheck) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(END))
        first = len(heard) == 1
        if first:
            heard.append(await reader.readexactly(5))
        writer.write(
            answer(status="303 See Other", headers={"Location": "/"}) if first else answer()
        )

    assert (await ask(check, talk, method="POST", body="hello")).ok
    assert heard[0].startswith(b"POST ")
    assert heard[1] == b"hello"
    assert heard[2].startswith(b"GET ")


async def test_a_page_that_is_not_whole_is_noticed(check: HttpCheck) -> None:
    outcome = await ask(check, answers(answer(b"half", length=4000)))
    assert outcome.code == CheckCode.CLOSED


async def test_an_answer_that_ends_in_its_headers_is_noticed(check: HttpCheck) -> None:
    assert (await ask(check, answers(b"HTTP/1.1 200 OK\r\nContent-"))).code == CheckCode.CLOSED


async def test_a_connection_that_is_reset_in_the_page_is_noticed(check: HttpCheck) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(answer(b"half", length=4000))
        await writer.drain()
        await asyncio.sleep(0.05)  # so that the beginning is read before the end comes
        reset(writer)

    assert (await ask(check, talk)).code in {CheckCode.RESET, CheckCode.CLOSED}


async def test_headers_without_end_are_no_answer(check: HttpCheck) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    assert (await ask(check, talk)).code == CheckCode.BAD_ANSWER


async def test_of_a_page_of_a_gigabyte_only_the_beginning_is_read(check: HttpCheck) -> None:
    said_bytes = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said_bytes
        await reader.readuntil(END)
        writer.write(answer(length=2**30))
        while said_bytes < 2**30:
            writer.write(b"x" * 65536)
            said_bytes += 65536
            await writer.drain()

    outcome = await ask(check, talk, contains="needle")
    assert outcome.code == CheckCode.TOO_LARGE
    assert "more than 1 MB" in (outcome.reason or "")
    # The kernel holds some megabytes between the two.
    assert said_bytes < 16 * MOST_BODY_BYTES


async def test_a_text_at_the_beginning_of_a_gigabyte_is_found(check: HttpCheck) -> None:
    beginning = answer(b"needle", length=2**30)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(beginning)
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    assert (await ask(check, talk, contains="needle")).ok
    assert (await ask(check, talk)).ok


async def test_a_page_that_never_ends_is_right_by_its_headers(check: HttpCheck) -> None:
    headers = "Content-Type: text/event-stream\r\n\r\n"
    stream = says(f"HTTP/1.1 200 OK\r\n{headers}data: 1\n\n".encode())
    assert (await ask(check, stream)).ok


async def test_a_page_that_comes_packed_is_unpacked(check: HttpCheck) -> None:
    page = answer(gzip.compress(b"hello needle"), headers={"Content-Encoding": "gzip"})
    assert (await ask(check, answers(page), contains="needle")).ok


async def test_a_packed_page_is_unpacked_to_no_more_than_is_looked_at(check: HttpCheck) -> None:
    bomb = gzip.compress(b"x" * 100 * MOST_BODY_BYTES)
    page = answer(bomb, headers={"Content-Encoding": "gzip"})
    outcome = await ask(check, answers(page), contains="needle")
    assert outcome.code == CheckCode.TOO_LARGE


async def test_a_page_that_is_not_packed_as_it_says_is_no_good_answer(check: HttpCheck) -> None:
    page = answer(b"plain", headers={"Content-Encoding": "gzip"})
    assert (await ask(check, answers(page), contains="plain")).code == CheckCode.BAD_ANSWER


async def test_a_head_question_is_right_without_a_page(check: HttpCheck) -> None:
    assert (await ask(check, answers(answer(length=12345)), method="HEAD")).ok


async def test_every_check_proves_a_new_connection_and_brings_no_cookies(check: HttpCheck) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heard.append(await reader.readuntil(END))
            writer.write(answer(headers={"Set-Cookie": "id=1; Path=/"}))

    async with serving(talk) as service:
        settings = HttpCheckSettings(url=service.url)
        for _ in range(3):
            assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).ok
        assert service.came == 3
    assert not any(b"Cookie" in each for each in heard)


async def test_an_answer_that_never_comes_is_asked_for_once(check: HttpCheck) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write_eof()

    async with serving(talk) as service:
        settings = HttpCheckSettings(url=service.url)
        outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
        assert outcome.code == CheckCode.CLOSED
        assert service.came == 1


async def test_a_proxy_of_the_environment_is_not_asked(
    check: HttpCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await ask(check, answers(answer()))).ok


@pytest.mark.parametrize(
    ("host", "family", "code"),
    [
        ("127.0.0.1", "ipv4", None),
        ("127.0.0.1", "ipv6", CheckCode.UNKNOWN_HOST),
        ("::1", "ipv6", None),
        ("::1", "any", None),
        ("::1", "ipv4", CheckCode.UNKNOWN_HOST),
    ],
)
async def test_only_the_family_that_is_asked_for_is_tried(
    check: HttpCheck, host: str, family: str, code: CheckCode | None
) -> None:
    async with serving(answers(answer()), host=host) as service:
        settings = HttpCheckSettings.model_validate({"url": service.url, "address_family": family})
        assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).code == code


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_name_of_both_families_is_reached_where_one_of_them_serves(
    check: HttpCheck, host: str
) -> None:
    async with serving(answers(answer()), host=host) as service:
        settings = HttpCheckSettings(url=f"http://localhost:{service.port}")
        assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).ok


@pytest.mark.parametrize("zone", ["%251", "%1"])
async def test_an_address_with_a_zone_is_reached_however_that_is_written(
    check: HttpCheck, zone: str
) -> None:
    async with serving(answers(answer()), host="::1") as service:
        settings = HttpCheckSettings(url=f"http://[::1{zone}]:{service.port}/")
        outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
    assert outcome.ok, outcome


SPELT_WIDE = "\N{FULLWIDTH LATIN SMALL LETTER L}ocalhost"


async def test_a_name_in_letters_of_the_world_is_understood(check: HttpCheck) -> None:
    async with serving(answers(answer())) as service:
        settings = HttpCheckSettings(url=f"http://{SPELT_WIDE}:{service.port}/")
        assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).ok
    assert check.target(HttpCheckSettings(url="http://bücher.example/")) == "http://bücher.example/"


async def test_a_redirect_does_not_lead_to_where_the_agent_must_not_go(
    check: HttpCheck, outbound: Outbound
) -> None:
    async with serving(answers(answer())) as door:
        outbound.guard.keep("a door of ours", "127.0.0.1", door.port)
        for place in (f"127.0.0.1:{door.port}", f"localhost:{door.port}", "169.254.169.254"):
            page = answers(answer(status="302 Found", headers={"Location": f"http://{place}/"}))
            assert (await ask(check, page)).code == CheckCode.GUARDED
        assert door.came == 0


NAME = "localhost"


async def test_a_server_that_wants_our_certificate_is_told_as_that(
    check: HttpCheck, authority: Authority, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue(NAME).write(tmp_path))
    context.verify_mode = ssl.CERT_REQUIRED

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        while data := await reader.read(65536):
            incoming.write(data)
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                writer.write(outgoing.read())
                break
            writer.write(outgoing.read())
        await reader.read()

    async with serving(refuse) as service:
        settings = HttpCheckSettings(url=f"https://127.0.0.1:{service.port}/", verify_tls=False)
        outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
    assert outcome.code == CheckCode.TLS_FAILED
    assert "wants a certificate of whoever asks" in (outcome.reason or "")


def make_weak(authority: Authority) -> Issued:
    return authority.issue(NAME, key=rsa.generate_private_key(65537, 1024))  # noqa: S505  # that is the point


CERTIFICATES = {
    None: lambda authority: authority.issue(NAME, days=40),
    CheckCode.CERTIFICATE_EXPIRED: lambda authority: authority.issue(NAME, days=-2),
    CheckCode.CERTIFICATE_NOT_YET_VALID: lambda authority: authority.issue(
        NAME, not_before=datetime.now(UTC) + timedelta(days=2)
    ),
    CheckCode.CERTIFICATE_SELF_SIGNED: lambda _: self_signed(NAME),
    CheckCode.CERTIFICATE_WRONG_NAME: lambda authority: authority.issue("nas.example"),
    CheckCode.CERTIFICATE_WEAK: make_weak,
    CheckCode.CERTIFICATE_UNTRUSTED: lambda authority: authority.issue(NAME).sending(),
}


def server_context(issued: Issued, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(issued.write(folder))
    return context


@pytest.mark.parametrize("code", CERTIFICATES, ids=str)
async def test_a_certificate_is_looked_at_unless_any_is_taken(
    check: HttpCheck, authority: Authority, tmp_path: Path, code: CheckCode | None
) -> None:
    context = server_context(CERTIFICATES[code](authority), tmp_path)
    async with serving(answers(answer()), context=context) as service:
        url = f"https://{NAME}:{service.port}/"
        outcome = await check.run(HttpCheckSettings(url=url), ENOUGH_S, allow_guarded=False)
        assert outcome.code == code, outcome
        any_settings = HttpCheckSettings(url=url, verify_tls=False)
        taken = await check.run(any_settings, ENOUGH_S, allow_guarded=False)
    assert taken.ok
    assert taken.certificate_days_left is not None
    if code is None:
        assert outcome.certificate_days_left == taken.certificate_days_left == 39
    if code is CheckCode.CERTIFICATE_EXPIRED:
        assert taken.certificate_days_left < 0


async def test_a_handshake_that_stalls_is_told_as_that(check: HttpCheck) -> None:
    async with serving(hangs) as service:
        settings = HttpCheckSettings(url=f"https://127.0.0.1:{service.port}/")
        outcome = await check.run(settings, SHORT_S, allow_guarded=False)
    assert outcome.code == CheckCode.TIMED_OUT
    assert "no end of the TLS handshake within 0.5 s" in (outcome.reason or "")


async def test_a_server_of_http_that_is_asked_in_https_is_told_so(check: HttpCheck) -> None:
    async with serving(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as service:
        settings = HttpCheckSettings(url=f"https://127.0.0.1:{service.port}/")
        outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
    assert outcome.code == CheckCode.TLS_FAILED
    assert "Does it speak http, and not https?" in (outcome.reason or "")


def test_keys_in_an_address_are_not_shown(check: HttpCheck) -> None:
    settings = HttpCheckSettings(url="https://nas.example/api?apikey=correct-horse#top")
    assert check.target(settings) == "https://nas.example/api?…"


@pytest.mark.parametrize(
    "url", ["https://user:secret@nas.example/", "http://", "http:///x", "http://nas:99999/"]
)
def test_an_address_that_cannot_be_asked_or_gives_a_password_away_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        HttpCheckSettings(url=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Key", "a\r\nHost: other"),
        ("X-Key", "a\0"),
        ("X Key", "a"),
        ("", "a"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("Expect", "100-continue"),
    ],
)
def test_headers_that_would_break_the_question_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match="headers") as refused:
        HttpCheckSettings(url="http://nas/", headers={name: SecretStr(value)})
    assert "Host: other" not in str(refused.value)


@pytest.mark.parametrize("talk", [closes, resets])
async def test_a_server_that_leaves_during_the_handshake_is_told_so(
    check: HttpCheck, talk: Talk
) -> None:
    async with serving(talk) as service:
        settings = HttpCheckSettings(url=f"https://127.0.0.1:{service.port}/")
        outcome = await check.run(settings, ENOUGH_S, allow_guarded=False)
    assert outcome.code == CheckCode.RESET


async def test_a_server_that_says_no_farewell_costs_no_socket(
    check: HttpCheck, authority: Authority, tmp_path: Path
) -> None:
    left = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(answer())
        await writer.drain()
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()  # so it does not hear ours either
        await left.wait()

    context = server_context(authority.issue(NAME), tmp_path)
    async with serving(talk, context=context) as service:
        before = len(own_sockets())
        settings = HttpCheckSettings(url=f"https://{NAME}:{service.port}/")
        assert (await check.run(settings, ENOUGH_S, allow_guarded=False)).ok
        await asyncio.sleep(0)
        # Only the server's end is still there.
        assert len(own_sockets()) <= before + 1
        left.set()
