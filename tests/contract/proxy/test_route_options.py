"""Every option of a route does in a real Caddy what it says."""

import asyncio
import json
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from homelab_agent.areas.proxy.models import (
    BasicAuthUser,
    RouteBody,
    RouteCertificate,
    RouteOptions,
    RouteState,
    UpstreamHealth,
)
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.secrets import STARS
from tests.contract.proxy.bench import HOST, ProxyBench, proxy_bench, upstream
from tests.harness.caddy import NEIGHBOUR, Caddy, tls_context
from tests.harness.pebble import Pebble, PebbleOptions
from tests.harness.ports import free_port
from tests.harness.waiting import wait_until

MANAGED = RouteCertificate.MANAGED
PASSWORD = "correct horse battery"


async def own_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """Return the files of a certificate and its key; it is its own authority."""
    certificate, key = folder / "own.pem", folder / "own.key"
    process = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", f"/CN={names[0]}", "-keyout", str(key)),
        *("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)),
        *("-out", str(certificate)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    return certificate, key


@pytest.fixture
async def certified(bench: ProxyBench, tmp_path: Path) -> Path:
    """Caddy has a certificate for the host; return whom to trust for it."""
    certificate, key = await own_certificate(tmp_path, HOST, "p.example.org")
    await bench.service.give_certificate("own", certificate, key, (HOST, "p.example.org"))
    return certificate


async def test_a_site_is_served_over_https_with_the_certificate_it_was_given(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED, aliases=("P.Example.org.",)))
    await bench.service.wait_until_served(HOST, within_s=30)
    for name in (HOST, "p.example.org"):
        answer = await caddy.get(name, "/a?b=c", authority=certified)
        assert (answer.status, '"path": "/a"' in answer.text) == (200, True)
    redirect = await caddy.get(HOST, "/a", https=False)
    assert redirect.status == 308
    assert redirect.headers["Location"].startswith("https://")


async def test_a_certificate_that_is_taken_back_leaves_nothing_behind(
    bench: ProxyBench, caddy: Caddy, tmp_path: Path
) -> None:
    before = await caddy.config_text()
    certificate, key = await own_certificate(tmp_path, HOST)
    await bench.service.give_certificate("own", certificate, key, (HOST,))
    given = await caddy.config_text()
    await bench.service.give_certificate("own", certificate, key, (HOST,))
    assert await caddy.config_text() == given
    newer, its_key = await own_certificate(tmp_path, HOST)
    await bench.service.give_certificate("own", newer, its_key, (HOST,))
    assert len(await caddy.config_text()) == pytest.approx(len(given), abs=100)
    await bench.service.take_certificate("own")
    await bench.service.take_certificate("own")
    assert await caddy.config_text() == before


async def test_a_certificate_that_is_taken_back_while_caddy_gets_it_again_stays_away(
    bench: ProxyBench, caddy: Caddy, tmp_path: Path
) -> None:
    before = await caddy.config_text()
    files = await own_certificate(tmp_path, HOST)
    await bench.service.give_certificate("own", *files, (HOST,))
    kept, given = bench.book.certificates["own"], await caddy.config_text()
    assert (await caddy.call("POST", "/load", json.loads(before))).status == 200
    assert await bench.service.give_certificate_again(kept)
    assert await caddy.config_text() == given
    await bench.service.take_certificate("own")
    assert not await bench.service.give_certificate_again(kept)
    assert await caddy.config_text() == before


async def test_a_certificate_with_the_key_of_another_one_is_refused_and_changes_nothing(
    bench: ProxyBench, caddy: Caddy, tmp_path: Path
) -> None:
    before = await caddy.config_text()
    (tmp_path / "other").mkdir()
    certificate, _ = await own_certificate(tmp_path, HOST)
    _, key = await own_certificate(tmp_path / "other", HOST)
    with pytest.raises(Exception, match="private key does not match"):
        await bench.service.give_certificate("own", certificate, key, (HOST,))
    assert await caddy.config_text() == before
    assert bench.book.certificates == {}


async def test_only_who_knows_the_password_comes_in_and_nobody_reads_it(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    users = (BasicAuthUser(username="anna", password=PASSWORD),)
    body = RouteBody(upstreams=(app,), certificate=MANAGED, basic_auth=users)
    prepared = await bench.service.prepare(HOST, body)
    await bench.service.put(prepared)
    assert (await caddy.get(HOST, authority=certified)).status == 401
    assert (await caddy.get(HOST, user=("anna", "wrong password"))).status == 401
    assert (await caddy.get(HOST, user=("anna", PASSWORD))).status == 200

    # The same password again changes nothing; without one the users stay.
    assert not await bench.service.put(await bench.service.prepare(HOST, body))
    plan = await bench.service.plan(HOST, RouteBody(upstreams=(app,), certificate=MANAGED))
    assert plan.difference == ()
    again = await bench.service.prepare(HOST, RouteBody(upstreams=("127.0.0.1:9",)))
    store = (bench.folder / "homelab.db").read_bytes() + b"".join(
        each.read_bytes() for each in bench.folder.glob("homelab.db-*")
    )
    shown = "".join(
        (
            *(prepared.model_dump_json(), again.model_dump_json(), plan.model_dump_json()),
            *(bench.row().model_dump_json(), store.decode(errors="replace")),
        )
    )
    assert PASSWORD not in shown
    assert "$argon2id$" not in shown
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED, basic_auth=()))
    assert (await caddy.get(HOST)).status == 200


async def test_only_the_addresses_that_are_allowed_come_in(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    async def status(*allow: str) -> int:
        options = RouteOptions(allow=allow)
        await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED, options=options))
        return (await caddy.get(HOST, authority=certified)).status

    assert await status("192.0.2.0/24", "2001:db8::1") == 403
    assert await status("127.0.0.1") == 200
    assert await status("127.0.0.77/8") == 200
    assert (await caddy.get(NEIGHBOUR)).status == 200


async def test_headers_and_hsts_reach_both_sides(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    options = RouteOptions(
        hsts_s=31_536_000,
        request_headers={"X-From": "{http.request.host}", "X-Plain": "a"},
        response_headers={"X-Frame-Options": "DENY", "Server": "mine"},
    )
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED, options=options))
    answer = await caddy.get(HOST, authority=certified)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert (answer.headers["X-Frame-Options"], answer.headers["Server"]) == ("DENY", "mine")
    assert f'"X-From": "{HOST}"' in answer.text
    assert '"X-Plain": "a"' in answer.text


async def test_a_header_that_is_a_secret_reaches_the_service_and_nobody_else(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    secrets = {"X-Api-Key": "key-of-the-service", "authorization": "Bearer for-the-service"}
    options = RouteOptions(
        request_headers={**secrets, "X-Plain": "shown", "X-Token": "{http.request.header.T}"},
        response_headers={"Set-Cookie": "id=not-for-the-journal"},
    )
    body = RouteBody(upstreams=(app,), certificate=MANAGED, options=options)
    plan, prepared = await bench.service.plan(HOST, body), await bench.service.prepare(HOST, body)
    await bench.service.put(prepared)
    answer = await caddy.get(HOST, authority=certified)
    assert all(value in answer.text for value in secrets.values())
    assert answer.headers["Set-Cookie"] == "id=not-for-the-journal"

    hidden = {
        "X-Api-Key": STARS,
        "authorization": STARS,
        "X-Plain": "shown",
        "X-Token": "{http.request.header.T}",
    }
    assert bench.row().options.request_headers == hidden
    assert bench.row().options.response_headers == {"Set-Cookie": STARS}
    # As a client does that changes something else: what it was shown it gives back.
    again = body.model_copy(update={"options": bench.row().options.model_copy()})
    assert (await bench.service.plan(HOST, again)).difference == ()
    newer = {**options.request_headers, "X-Api-Key": "another-key-of-it"}
    other = options.model_copy(update={"request_headers": newer})
    changed = body.model_copy(update={"options": other})
    replanned = await bench.service.plan(HOST, changed)
    assert any("X-Api-Key is another secret" in line for line in replanned.difference)
    elsewhere = again.model_copy(update={"upstreams": ("127.0.0.1:9",)})
    with pytest.raises(Invalid, match="no secret to keep for this service"):
        await bench.service.plan(HOST, elsewhere)
    shown = [each.model_dump_json() for each in (plan, replanned, prepared, bench.row())]
    files = bench.folder.glob("homelab.db*")
    kept = b"".join([await asyncio.to_thread(each.read_bytes) for each in files])
    for secret in ("key-of-the-service", "for-the-service", "not-for-the-journal", "another-key"):
        assert secret.encode() not in kept
        assert not [each for each in shown if secret in each]

    await bench.put(changed)
    await bench.service.put_back(await bench.service.prepare(HOST, changed))
    assert "another-key-of-it" in (await caddy.get(HOST)).text


async def test_a_site_that_asks_for_a_login_is_closed_until_somebody_has_a_password(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    body = RouteBody(
        upstreams=(app,), certificate=MANAGED, options=RouteOptions(login_required=True)
    )
    users = (BasicAuthUser(username="anna", password=PASSWORD),)
    await bench.put(body)
    await bench.service.wait_until_served(HOST, within_s=30)
    assert (await caddy.get(HOST, authority=certified)).status == 403
    assert (await caddy.get(HOST, user=("anna", PASSWORD))).status == 403
    assert bench.row().state is RouteState.OK
    assert "no user has a password yet" in (bench.row().reason or "")

    await bench.put(body.model_copy(update={"basic_auth": users}))
    assert (await caddy.get(HOST)).status == 401
    assert (await caddy.get(HOST, user=("anna", PASSWORD))).status == 200
    assert bench.row().reason is None

    await bench.put(body.model_copy(update={"basic_auth": ()}))
    assert (await caddy.get(HOST, user=("anna", PASSWORD))).status == 403


async def test_a_websocket_goes_through(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED))
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"https://127.0.0.1:{caddy.https_port}/socket",
            headers={"Host": HOST},
            ssl=tls_context(certified),
            server_hostname=HOST,
        ) as socket,
    ):
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=30) == "echo hello"


async def test_an_upstream_with_a_certificate_of_its_own_is_trusted_only_where_that_is_said(
    bench: ProxyBench, caddy: Caddy, tmp_path: Path, certified: Path
) -> None:
    (tmp_path / "nas").mkdir()
    certificate, key = await own_certificate(tmp_path / "nas", "nas.lan")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(text="the nas")

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        for verify, status in ((True, 502), (False, 200)):
            body = RouteBody(
                upstreams=(f"https://127.0.0.1:{port}",),
                certificate=MANAGED,
                options=RouteOptions(verify_upstream_tls=verify),
            )
            await bench.put(body)
            assert (await caddy.get(HOST, authority=certified)).status == status
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("host", ["[::1]", "localhost"])
async def test_an_upstream_is_reached_however_its_address_is_written(
    bench: ProxyBench, caddy: Caddy, host: str
) -> None:
    async with upstream(host=host.strip("[]")) as address:
        port = address.rpartition(":")[2]
        await bench.put(RouteBody(upstreams=(f"{host}:{port}",), certificate=RouteCertificate.NONE))
        assert (await caddy.get(HOST, https=False)).status == 200


async def test_an_upstream_that_does_not_work_is_left_out(
    bench: ProxyBench, caddy: Caddy, certified: Path
) -> None:
    def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500 if request.path == "/health" else 200, text="broken")

    async with upstream(broken) as bad, upstream() as good:
        health = UpstreamHealth(path="/health", interval_s=2, timeout_s=1)
        body = RouteBody(
            upstreams=(bad, good), certificate=MANAGED, options=RouteOptions(health=health)
        )
        await bench.put(body)

        async def ten_good_ones() -> bool:
            answers = [await caddy.get(HOST, authority=certified) for _ in range(10)]
            return all("broken" not in each.text for each in answers)

        await wait_until(ten_good_ones, what="the broken upstream to be left out")


async def test_a_site_without_redirect_is_there_in_both_ways(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    options = RouteOptions(https_redirect=False, hsts_s=60)
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED, options=options))
    assert (await caddy.get(HOST, authority=certified)).status == 200
    assert (await caddy.get(HOST, https=False)).status == 200
    # Caddy sends the neighbour's visitors to HTTPS as before.
    assert (await caddy.get(NEIGHBOUR, https=False)).status == 308


async def test_a_site_in_plain_http_only_is_in_plain_http_only(
    bench: ProxyBench, caddy: Caddy, app: str
) -> None:
    body = RouteBody(
        upstreams=(app,), certificate=RouteCertificate.NONE, options=RouteOptions(hsts_s=60)
    )
    await bench.put(body)
    await bench.service.wait_until_served(HOST, within_s=30)
    answer = await caddy.get(HOST, https=False)
    assert answer.status == 200
    assert "Strict-Transport-Security" not in answer.headers
    with pytest.raises(aiohttp.ClientConnectorSSLError):
        await caddy.get(HOST)


@pytest.mark.parametrize("redirect", [True, False])
async def test_a_server_of_others_that_serves_both_ways_does_what_the_route_says(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path, *, redirect: bool
) -> None:
    listen = [f":{caddy.http_port}", f":{caddy.https_port}"]
    await caddy.call("PATCH", "/config/apps/http/servers/main/listen", listen)
    before = await caddy.config_text()
    options = RouteOptions(https_redirect=redirect)
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED, options=options))
    assert (await caddy.get(HOST, authority=certified)).status == 200
    plain = await caddy.get(HOST, "/a", https=False)
    assert plain.status == (308 if redirect else 200)
    if redirect:
        assert plain.headers["Location"] == f"https://{HOST}:{caddy.https_port}/a"
    await bench.put(RouteBody(upstreams=(app,), certificate=RouteCertificate.NONE))
    assert (await caddy.get(HOST, https=False)).status == 200
    skipped = await caddy.call("GET", "/config/apps/http/servers/main/automatic_https")
    assert HOST in skipped.text
    await bench.remove()
    assert await caddy.config_text() == before


async def test_a_caddy_that_does_not_redirect_by_itself_is_told_to(
    bench: ProxyBench, caddy: Caddy, app: str, certified: Path
) -> None:
    off = {"disable_redirects": True}
    await caddy.call("PUT", "/config/apps/http/servers/main/automatic_https", off)
    before = await caddy.config_text()
    await bench.put(RouteBody(upstreams=(app,), certificate=MANAGED))
    assert (await caddy.get(HOST, authority=certified)).status == 200
    plain = await caddy.get(HOST, "/a", https=False)
    location = f"https://{HOST}:{caddy.https_port}/a"
    assert (plain.status, plain.headers["Location"]) == (308, location)
    await bench.remove()
    assert await caddy.config_text() == before


BAD = {
    "upstreams.0": RouteBody(upstreams=("photos:0",)),
    "upstreams.1": RouteBody(upstreams=("a:1", "https://b:2")),
    "upstreams": RouteBody(upstreams=("{env.SECRET}:80",)),
    "star": RouteBody(upstreams=("*:80",)),
    "list": RouteBody(upstreams=("a,b:80",)),
    "bare IPv6": RouteBody(upstreams=("::1:80",)),
    "international": RouteBody(upstreams=("fööd.lan:80",)),
    "aliases.0": RouteBody(upstreams=("a:1",), aliases=(HOST,)),
    "aliases.1": RouteBody(upstreams=("a:1",), aliases=("b.example.org", "a..b")),
    "options.allow.1": RouteBody(
        upstreams=("a:1",), options=RouteOptions(allow=("10.0.0.0/8", "nobody"))
    ),
    "options.response_headers.X-A": RouteBody(
        upstreams=("a:1",), options=RouteOptions(response_headers={"X-A": "{file./etc/passwd}"})
    ),
    "options.request_headers.X-B": RouteBody(
        upstreams=("a:1",), options=RouteOptions(request_headers={"X-B": "{env.HOME}"})
    ),
    "options.request_headers.authorization": RouteBody(
        upstreams=("a:1",), options=RouteOptions(request_headers={"authorization": STARS})
    ),
    "options.request_headers.x-a": RouteBody(
        upstreams=("a:1",), options=RouteOptions(request_headers={"X-A": "1", "x-a": "2"})
    ),
    "options.response_headers.Transfer-Encoding": RouteBody(
        upstreams=("a:1",), options=RouteOptions(response_headers={"Transfer-Encoding": "chunked"})
    ),
    "options.health.path": RouteBody(
        upstreams=("a:1",), options=RouteOptions(health=UpstreamHealth(path="/{env.HOME}"))
    ),
    "basic_auth.0.username": RouteBody(
        upstreams=("a:1",), basic_auth=(BasicAuthUser(username="{env.HOME}", password=PASSWORD),)
    ),
    "metadata": RouteBody(upstreams=("169.254.169.254:80",)),
}


@pytest.mark.parametrize(("field", "body"), BAD.items(), ids=BAD.keys())
async def test_what_cannot_be_is_refused_by_its_field(
    bench: ProxyBench, field: str, body: RouteBody
) -> None:
    with pytest.raises(Invalid) as refused:
        await bench.service.plan(HOST, body)
    assert refused.value.field in {field, "upstreams.0"}
    assert refused.value.hint


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".org", "a.*.org", "*", ""])
async def test_a_name_that_cannot_be_is_refused(bench: ProxyBench, host: str) -> None:
    with pytest.raises(Invalid) as refused:
        await bench.service.plan(host, RouteBody(upstreams=("a:1",)))
    assert refused.value.field == "host"


async def test_caddy_gets_a_certificate_of_its_own_where_that_is_wanted(
    tmp_path: Path, app: str
) -> None:
    http_port, https_port = free_port(), free_port()
    # Pebble asks no name server here: every name is where its validation looks anyway.
    authority = Pebble(
        tmp_path / "pebble",
        PebbleOptions(always_valid=True, http_port=http_port, tls_port=https_port),
    )
    async with (
        authority,
        Caddy(
            tmp_path / "caddy",
            http_port=http_port,
            https_port=https_port,
            acme_directory=authority.directory,
            acme_root=authority.api_ca_file,
        ) as caddy,
        proxy_bench(tmp_path / "agent", caddy.admin) as bench,
    ):
        before = await caddy.config_text()
        await bench.put(RouteBody(upstreams=(app,)))
        await bench.service.wait_until_served(HOST, within_s=30)

        async def has_a_certificate() -> bool:
            try:
                return (await caddy.get(HOST)).status == 200
            except aiohttp.ClientConnectorSSLError:
                return False

        await wait_until(has_a_certificate, what="Caddy's certificate", within_s=30)
        assert (await caddy.get(HOST, "/x")).text.startswith('{"path": "/x"')
        await bench.remove()
        assert await caddy.config_text() == before
