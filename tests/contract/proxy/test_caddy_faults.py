"""Caddy away, hanging, killed, changed by others: what is told, and what is left."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import override

import pytest
from aiohttp import ServerDisconnectedError, web

from homelab_agent.areas.proxy.caddy_admin import CaddyAdmin, Configuration
from homelab_agent.areas.proxy.caddy_errors import (
    CaddyAway,
    CaddyRefuses,
    CaddyRefusesUs,
    CaddyUnsuitable,
)
from homelab_agent.areas.proxy.dry_run import DryRun, Tried
from homelab_agent.areas.proxy.json_tree import Change
from homelab_agent.areas.proxy.kept import PlacedRoute
from homelab_agent.areas.proxy.models import (
    RouteBody,
    RouteCertificate,
    UpstreamState,
)
from homelab_agent.areas.proxy.trying_here import CaddyHere
from homelab_agent.areas.proxy.watch import ProxyWatch
from homelab_agent.platform.errors import Conflict, Invalid, TimedOut, Unavailable
from homelab_agent.platform.settings import Settings
from tests.contract.proxy.bench import HOST, ProxyBench, proxy_bench
from tests.harness.caddy import NEIGHBOUR, NEIGHBOUR_SAYS, Caddy, moves_connections_over
from tests.harness.ports import free_port

MANAGED = RouteCertificate.MANAGED
BODY = RouteBody(upstreams=("127.0.0.1:9",), certificate=MANAGED)
ROUTES = "/config/apps/http/servers/main/routes"


class Between(CaddyAdmin):
    """Something happens just before or after a write reaches Caddy."""

    def __init__(self, inner: CaddyAdmin) -> None:
        self.address = inner.address
        self._inner = inner
        self.do_before = _nothing
        self.do_after = _nothing
        self._asked: asyncio.Future[tuple[Change, str]] | None = None

    def next_write(self) -> asyncio.Future[tuple[Change, str]]:
        """Return what will be written next, and where it is still to be."""
        self._asked = asyncio.get_running_loop().create_future()
        return self._asked

    @override
    async def read(self) -> Configuration:
        return await self._inner.read()

    @override
    async def write(self, change: Change, etag: str) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result((change, etag))
        await self.do_before()
        await self._inner.write(change, etag)
        await self.do_after()

    @override
    async def upstreams(self) -> tuple[UpstreamState, ...]:
        return await self._inner.upstreams()

    @override
    async def version(self) -> str | None:
        return await self._inner.version()

    @override
    async def process_id(self) -> int | None:
        return await self._inner.process_id()


async def _nothing() -> None:
    return


async def _killed_and_started(caddy: Caddy) -> None:
    await caddy.kill()
    await caddy.start()


@asynccontextmanager
async def bench_with_between(
    folder: Path, caddy: Caddy
) -> AsyncIterator[tuple[ProxyBench, Between]]:
    made: list[Between] = []

    def wrap(admin: CaddyAdmin) -> CaddyAdmin:
        made.append(Between(admin))
        return made[-1]

    async with proxy_bench(folder, caddy.admin, wrap=wrap) as bench:
        await bench.editor.admin()
        yield bench, made[-1]


async def test_what_somebody_else_changes_between_reading_and_writing_stays(
    tmp_path: Path, caddy: Caddy
) -> None:
    theirs = {"handle": [{"handler": "static_response", "body": "new"}], "terminal": True}
    async with bench_with_between(tmp_path / "agent", caddy) as (bench, between):
        times = 0

        async def change_something_first() -> None:
            nonlocal times
            times += 1
            if times <= 3:
                await caddy.call("POST", ROUTES, theirs)

        between.do_before = change_something_first
        await bench.put(BODY)
        routes = json.loads(await caddy.config_text())["apps"]["http"]["servers"]["main"]["routes"]
        assert sum(route == theirs for route in routes) == 3
        assert sum(route.get("@id") == f"homelab-{HOST}" for route in routes) == 1
        assert times == 4


async def test_a_route_that_others_made_for_the_host_meanwhile_is_left_alone(
    tmp_path: Path, caddy: Caddy
) -> None:
    theirs = {"match": [{"host": [HOST]}], "handle": [{"handler": "static_response"}]}
    async with bench_with_between(tmp_path / "agent", caddy) as (bench, between):

        async def take_the_host() -> None:
            between.do_before = _nothing
            await caddy.call("POST", ROUTES, theirs)

        between.do_before = take_the_host
        prepared = await bench.service.prepare(HOST, BODY)
        with pytest.raises(Conflict, match="already"):
            await bench.service.put(prepared)
        await bench.service.put_back(prepared)
        routes = json.loads(await caddy.config_text())["apps"]["http"]["servers"]["main"]["routes"]
        assert routes[-1] == theirs
        assert f"homelab-{HOST}" not in await caddy.config_text()
        assert bench.book.routes == {}


async def test_a_route_that_others_changed_is_not_overwritten_but_told_and_repaired_on_request(
    bench: ProxyBench, caddy: Caddy
) -> None:
    await bench.put(BODY)
    good = await caddy.config_text()
    prepared = await bench.service.prepare(HOST, RouteBody(upstreams=("127.0.0.1:10",)))
    dial = f"/id/homelab-{HOST}/handle/0/routes/0/handle/0/upstreams/0/dial"
    assert (await caddy.call("PATCH", dial, "127.0.0.1:666")).status == 200
    changed = await caddy.config_text()
    with pytest.raises(Conflict, match="left as it is"):
        await bench.service.put(prepared)
    with pytest.raises(Conflict, match="left as it is"):
        await bench.service.put_back(prepared)
    assert await caddy.config_text() == changed

    bench.board.show_route(HOST, await bench.editor.look())
    assert bench.row().state == "drifted"
    dial_place = "handle.0.routes.0.handle.0.upstreams.0.dial"
    assert bench.row().difference == (
        f'{dial_place} is "127.0.0.1:666"; it should be "127.0.0.1:9".',
    )
    assert bench.status().drifted_routes == 1
    repair = await bench.service.prepare_again(HOST)
    await bench.service.put(repair)
    assert await caddy.config_text() == good
    assert bench.row().state == "ok"


async def test_a_write_whose_answer_is_lost_is_done_once(tmp_path: Path, caddy: Caddy) -> None:
    before = await caddy.config_text()
    async with bench_with_between(tmp_path / "agent", caddy) as (bench, between):

        async def lose_the_answer() -> None:
            between.do_after = _nothing
            raise TimedOut("the answer is lost")

        between.do_after = lose_the_answer
        await bench.put(BODY)
        assert (await caddy.config_text()).count(f'"homelab-{HOST}"') == 1
        between.do_after = lose_the_answer
        await bench.remove()
        assert await caddy.config_text() == before


async def test_a_write_that_is_done_only_after_it_was_taken_back_leaves_nothing(
    tmp_path: Path, caddy: Caddy
) -> None:
    before = await caddy.config_text()
    async with bench_with_between(tmp_path / "agent", caddy) as (bench, between):
        hangs, wakes_up = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            between.do_before = _nothing
            hangs.set()
            await wakes_up.wait()

        between.do_before = hang
        prepared = await bench.service.prepare(HOST, BODY)
        late = between.next_write()
        putting = asyncio.ensure_future(bench.service.put(prepared))
        await hangs.wait()
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)
        await bench.service.put_back(prepared)
        change, etag = await late
        await between.write(change, etag)
        assert f"homelab-{HOST}" in await caddy.config_text()
        await bench.service.put_back(prepared)
        assert await caddy.config_text() == before

        # Still later nobody comes back for it but the one who looks now and then.
        watch = ProxyWatch(
            *(bench.book, bench.facts, bench.service, bench.board),
            interval_s=1,
            puts_back=False,
        )
        await between.write(change, (await between.read()).etag)
        assert await watch.look_now()
        assert await caddy.config_text() == before
        assert await bench.service.take_back_late(await bench.editor.look()) == ()

        # What somebody else made of it meanwhile is theirs.
        await between.write(change, (await between.read()).etag)
        await caddy.call("PATCH", f"/id/homelab-{HOST}/terminal", body=False)
        theirs = await caddy.config_text()
        assert await bench.service.take_back_late(await bench.editor.look()) == ()
        assert await caddy.config_text() == theirs


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("resume", [False, True])
async def test_a_caddy_that_is_killed_while_it_is_written_to_has_the_route_in_the_end(
    tmp_path: Path, moment: str, *, resume: bool
) -> None:
    async with (
        Caddy(tmp_path / "caddy", resume=resume) as caddy,
        bench_with_between(tmp_path / "agent", caddy) as (bench, between),
    ):
        before = await caddy.config_text()

        async def kill_and_start() -> None:
            between.do_before = between.do_after = _nothing
            await asyncio.create_task(_killed_and_started(caddy))
            raise CaddyAway("it was killed")

        if moment == "before":
            between.do_before = kill_and_start
        else:
            between.do_after = kill_and_start
        prepared = await bench.service.prepare(HOST, BODY)
        await bench.service.put(prepared)
        assert (await caddy.config_text()).count(f'"homelab-{HOST}"') == 1
        assert (await caddy.get(NEIGHBOUR)).text == NEIGHBOUR_SAYS
        await bench.service.put_back(prepared)
        assert await caddy.config_text() == before


async def test_a_caddy_that_forgot_everything_in_between_gets_what_is_wanted(
    bench: ProxyBench, caddy: Caddy
) -> None:
    untouched = await caddy.config_text()
    await bench.put(BODY)
    there = await caddy.config_text()
    change = await bench.service.prepare(HOST, RouteBody(upstreams=("127.0.0.1:10",)))
    await caddy.restart()
    assert await caddy.config_text() == untouched
    await bench.service.put(change)
    assert "127.0.0.1:10" in await caddy.config_text()
    await caddy.restart()
    await bench.service.put_back(change)
    assert await caddy.config_text() == there


async def test_a_caddy_that_is_gone_is_told_of_and_told_later_what_it_missed(
    tmp_path: Path,
) -> None:
    async with (
        Caddy(tmp_path / "caddy", resume=True) as caddy,
        proxy_bench(tmp_path / "agent", caddy.admin) as bench,
    ):
        before = await caddy.config_text()
        prepared = await bench.service.prepare(HOST, BODY)
        await bench.service.put(prepared)
        await caddy.stop()
        with pytest.raises(CaddyAway, match="does not answer"):
            await bench.service.plan(HOST, BODY)
        with pytest.raises(CaddyAway, match="does not answer"):
            await bench.service.put_back(prepared)
        assert bench.book.routes == {}
        await caddy.start()
        assert f"homelab-{HOST}" in await caddy.config_text()
        assert bench.book.pending == {HOST}
        assert await bench.service.apply(HOST)
        assert await caddy.config_text() == before
        assert bench.book.pending == set()


async def test_a_caddy_that_hangs_costs_a_deadline_and_nothing_else(
    tmp_path: Path, caddy: Caddy
) -> None:
    async with proxy_bench(tmp_path / "agent", caddy.admin, read_s=2, write_s=2) as bench:
        before = await caddy.config_text()
        prepared = await bench.service.prepare(HOST, BODY)
        os.kill(caddy.pid, signal.SIGSTOP)
        try:
            with pytest.raises(TimedOut, match="did not answer within 2 s"):
                await bench.service.put(prepared)
        finally:
            os.kill(caddy.pid, signal.SIGCONT)
        assert await caddy.config_text() == before
        assert bench.book.routes == {}


async def test_a_configuration_that_caddy_refuses_changes_nothing_and_is_told_in_its_words(
    tmp_path: Path,
) -> None:
    async with Caddy(tmp_path / "caddy", neighbour=False) as caddy:
        before = await caddy.config_text()
        with socket.socket() as taken:
            taken.bind(("", caddy.https_port))
            taken.listen()
            async with proxy_bench(tmp_path / "agent", caddy.admin) as bench:
                prepared = await bench.service.prepare(HOST, BODY)
                with pytest.raises(CaddyRefuses, match="address already in use"):
                    await bench.service.put(prepared)
                await bench.service.put_back(prepared)
                assert bench.book.routes == {}
        assert await caddy.config_text() == before


async def test_what_caddy_does_not_take_is_found_before_anything_is_written() -> None:
    route = PlacedRoute(
        server="main", listen=":443", index=0, route={"handle": [{"handler": "no_such_thing"}]}
    )
    with pytest.raises(CaddyRefuses, match=r"unknown module: http\.handlers\.no_such_thing"):
        await DryRun(CaddyHere()).try_routes([route])
    tried = await DryRun(CaddyHere("/no/such/caddy")).try_routes([route])
    assert tried == Tried(False, "No Caddy is installed where the agent runs.")


@asynccontextmanager
async def small_server(answer: web.Response) -> AsyncIterator[str]:
    async def handle(_: web.Request) -> web.Response:
        return answer

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.json_response({"apps": {}}), CaddyUnsuitable),
        (web.Response(text="<html>welcome</html>"), CaddyUnsuitable),
        (web.Response(status=404), CaddyUnsuitable),
        (web.json_response({"error": "host not allowed: x"}, status=403), CaddyRefusesUs),
    ],
    ids=["without an Etag", "no Caddy", "not found", "forbidden"],
)
async def test_what_is_no_caddy_that_can_be_changed_safely_is_not_touched(
    tmp_path: Path, answer: web.Response, error: type[Unavailable]
) -> None:
    async with (
        small_server(answer) as address,
        proxy_bench(tmp_path / "agent", address) as bench,
    ):
        with pytest.raises(error):
            await bench.service.plan(HOST, BODY)


async def test_the_admin_api_itself_is_never_an_upstream(tmp_path: Path) -> None:
    async with (
        Caddy(tmp_path / "caddy", admin="tcp") as caddy,
        proxy_bench(tmp_path / "agent", caddy.admin) as bench,
    ):
        port = caddy.admin.rpartition(":")[2]
        same = ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "127.1")
        # A name that nobody knows here may be Caddy's own in its network.
        for where in (*(f"{host}:{port}" for host in (*same, "caddy")), "localhost:2019"):
            with pytest.raises(Invalid, match="admin API"):
                await bench.service.plan(HOST, RouteBody(upstreams=(where,)))
        assert (await caddy.call("GET", "/config/")).status == 200


@pytest.mark.parametrize("docker", ["docker-proxy", "127.0.0.1"])
async def test_neither_docker_nor_the_agent_is_ever_an_upstream(
    tmp_path: Path, caddy: Caddy, docker: str
) -> None:
    settings = Settings(docker_url=f"http://{docker}:2375")
    async with proxy_bench(tmp_path / "agent", caddy.admin, settings=settings) as bench:
        bench.outbound.guard.keep("the API of the agent itself", "0.0.0.0", 8123)  # noqa: S104
        doors = (f"{docker}:2375", "[::ffff:127.0.0.1]:8123", f"{socket.gethostname()}:8123")
        for door in doors:
            with pytest.raises(Invalid, match="agent") as refused:
                await bench.service.plan(HOST, RouteBody(upstreams=(door,)))
            assert refused.value.field == "upstreams.0"


async def test_a_name_of_which_one_address_is_refused_is_refused(
    tmp_path: Path, caddy: Caddy
) -> None:
    async with proxy_bench(tmp_path / "agent", caddy.admin) as bench:
        # "localhost" has 127.0.0.1 and ::1, of which only the first is kept.
        bench.outbound.guard.keep("the API of the agent itself", "127.0.0.1", 8123)
        with pytest.raises(Invalid, match="API of the agent"):
            await bench.service.plan(HOST, RouteBody(upstreams=("localhost:8123",)))


async def test_the_neighbour_loses_no_request_while_routes_come_and_go(
    tmp_path: Path, caddy: Caddy
) -> None:
    if not moves_connections_over():
        pytest.skip("Caddy itself loses connections here at each reload, see docs/DOMAINS.md")
    before = await caddy.config_text()
    asked = failed = 0
    done = asyncio.Event()

    async def is_served() -> bool:
        # A connection that ends without a word is tried again, as browsers do (RFC 9110, 9.2.2).
        for _ in range(2):
            with suppress(OSError, ServerDisconnectedError):
                return (await caddy.get(NEIGHBOUR)).text == NEIGHBOUR_SAYS
        return False

    async def visit() -> None:
        nonlocal asked, failed
        while not done.is_set():
            asked += 1
            failed += not await is_served()

    plain = BODY.model_copy(update={"certificate": RouteCertificate.NONE})
    async with proxy_bench(tmp_path / "agent", caddy.admin, tries_first=False) as bench:
        visitors = [asyncio.create_task(visit()) for _ in range(2)]
        for number in range(60):
            host = f"app{number % 7}.example.org"
            prepared = await bench.service.prepare(host, plain if number % 2 else BODY)
            await bench.service.put(prepared)
            if number % 3:
                await bench.service.put_back(prepared)
            else:
                await bench.remove(host)
        done.set()
        await asyncio.gather(*visitors)
    assert failed == 0
    assert asked > 20
    assert await caddy.config_text() == before
