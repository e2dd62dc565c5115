"""A route comes and goes, and Caddy's configuration is byte for byte as before."""

import json
from pathlib import Path

import pytest

from homelab_agent.areas.proxy.models import RouteBody, RouteCertificate, RouteOptions
from homelab_agent.platform.errors import Conflict
from tests.contract.proxy.bench import HOST, ProxyBench, proxy_bench
from tests.harness.caddy import NEIGHBOUR, NEIGHBOUR_SAYS, Caddy

BODIES = {
    "https": RouteBody(upstreams=("127.0.0.1:9",)),
    "managed": RouteBody(
        upstreams=("127.0.0.1:9",), certificate=RouteCertificate.MANAGED, aliases=("p.example.org",)
    ),
    "both": RouteBody(
        upstreams=("127.0.0.1:9",),
        certificate=RouteCertificate.MANAGED,
        options=RouteOptions(https_redirect=False),
    ),
    "plain": RouteBody(upstreams=("127.0.0.1:9",), certificate=RouteCertificate.NONE),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("kind", ["neighbour", "caddyfile", "catch_all", "without_servers"])
async def test_what_was_there_before_is_there_again_byte_for_byte(
    tmp_path: Path, kind: str, body: RouteBody
) -> None:
    async with Caddy(
        tmp_path / "caddy",
        admin="unix" if kind == "neighbour" else "tcp",
        caddyfile=kind == "caddyfile",
        catch_all=kind == "catch_all",
        neighbour=not kind.startswith("without"),
    ) as caddy:
        before = await caddy.config_text()
        async with proxy_bench(tmp_path / "agent", caddy.admin) as bench:
            await bench.put(body)
            assert await caddy.config_text() != before
            await bench.put(BODIES["https"], "other.example.org")
            await bench.put(BODIES["plain"])
            await bench.remove()
            await bench.remove("other.example.org")
            assert await caddy.config_text() == before

            prepared = await bench.service.prepare(HOST, body)
            assert await bench.service.put(prepared)
            assert not await bench.service.put(prepared)
            await bench.service.put_back(prepared)
            await bench.service.put_back(prepared)
            assert await caddy.config_text() == before
            assert bench.book.routes == {}

            await bench.put(body)
            there = await caddy.config_text()
            removal = await bench.service.prepare(HOST, None)
            await bench.service.put(removal)
            await bench.service.put_back(removal)
            assert await caddy.config_text() == there
            change = await bench.service.prepare(HOST, BODIES["https"])
            await bench.service.put(change)
            await bench.service.put_back(change)
            assert await caddy.config_text() == there
            await bench.remove()
            assert await caddy.config_text() == before
            assert bench.book.made.things == ()


async def test_a_route_goes_before_the_one_that_takes_everything(tmp_path: Path, app: str) -> None:
    body = RouteBody(upstreams=(app,), certificate=RouteCertificate.MANAGED)
    async with (
        Caddy(tmp_path / "caddy", catch_all=True) as caddy,
        proxy_bench(tmp_path / "agent", caddy.admin) as bench,
    ):
        await bench.put(body)
        config = json.loads(await caddy.config_text())
        routes = config["apps"]["http"]["servers"]["main"]["routes"]
        assert [route.get("@id") for route in routes] == [None, f"homelab-{HOST}", None]
        assert (await caddy.get(NEIGHBOUR)).text == NEIGHBOUR_SAYS


async def test_a_route_that_others_put_before_ours_and_that_takes_its_requests_is_told(
    bench: ProxyBench, caddy: Caddy
) -> None:
    await bench.put(BODIES["managed"])
    taker = {"handle": [{"handler": "static_response"}], "terminal": True}
    await caddy.call("PUT", "/config/apps/http/servers/main/routes/0", taker)
    bench.board.show_route(HOST, await bench.editor.look())
    assert bench.row().state == "drifted"
    assert "stands before it" in (bench.row().reason or "")


@pytest.mark.parametrize("name", [NEIGHBOUR, "NEIGHBOUR.test."])
async def test_the_site_of_somebody_else_is_not_taken_over(
    bench: ProxyBench, caddy: Caddy, name: str
) -> None:
    before = await caddy.config_text()
    with pytest.raises(Conflict, match=r"serves neighbour\.test already"):
        await bench.service.plan(name, BODIES["https"])
    body = BODIES["https"].model_copy(update={"aliases": (name,)})
    with pytest.raises(Conflict, match=r"serves neighbour\.test already"):
        await bench.service.prepare(HOST, body)
    assert await caddy.config_text() == before


async def test_a_wildcard_of_others_stays_and_is_told_of(bench: ProxyBench, caddy: Caddy) -> None:
    wildcard = {
        "match": [{"host": ["*.example.org"]}],
        "handle": [{"handler": "static_response", "body": "anybody"}],
        "terminal": True,
    }
    await caddy.call("POST", "/config/apps/http/servers/main/routes", wildcard)
    before = await caddy.config_text()
    plan = await bench.service.plan(HOST, BODIES["managed"])
    assert "Others serve *.example.org" in plan.warnings[0]
    await bench.put(BODIES["managed"])
    routes = json.loads(await caddy.config_text())["apps"]["http"]["servers"]["main"]["routes"]
    assert [route.get("@id") for route in routes] == [None, f"homelab-{HOST}", None]
    await bench.remove()
    assert await caddy.config_text() == before


async def test_a_plan_tells_what_it_would_do_and_does_nothing(
    bench: ProxyBench, caddy: Caddy
) -> None:
    before = await caddy.config_text()
    plan = await bench.service.plan("Photos.Example.org.", BODIES["https"])
    assert (plan.host, plan.before, plan.validated, plan.warnings) == (HOST, None, True, ())
    assert plan.difference == ("There is no route for HTTPS.",)
    assert '"dial": "127.0.0.1:9"' in (plan.after or "")
    assert await caddy.config_text() == before
    await bench.put(BODIES["https"])
    removal = await bench.service.plan(HOST, None)
    assert removal.after is None
    assert removal.difference == ("There is a route for HTTPS that should not be there.",)


async def test_of_two_routes_for_one_name_that_are_prepared_together_only_one_is_put(
    bench: ProxyBench, caddy: Caddy, app: str
) -> None:
    first = await bench.service.prepare("a.example.org", RouteBody(upstreams=(app,)))
    alias = RouteBody(upstreams=(app,), aliases=("a.example.org",))
    second = await bench.service.prepare("b.example.org", alias)
    await bench.service.put(first)
    before = await caddy.config_text()
    with pytest.raises(Conflict, match=r"agent's route a\.example\.org"):
        await bench.service.put(second)
    await bench.service.put_back(second)
    assert await caddy.config_text() == before
    assert [each.key for each in bench.service.routes()] == ["a.example.org"]


@pytest.mark.parametrize("way", ["forward", "back"])
async def test_an_agent_that_only_just_started_forgets_no_route_on_its_way_back(
    tmp_path: Path, caddy: Caddy, app: str, way: str
) -> None:
    before = await caddy.config_text()
    async with proxy_bench(tmp_path / "agent", caddy.admin) as bench:
        made = await bench.service.prepare(HOST, RouteBody(upstreams=(app,)))
        await bench.service.put(made)
        gone = await bench.service.prepare(HOST, None)
    async with proxy_bench(tmp_path / "agent", caddy.admin, is_new=False) as bench:
        await (bench.service.put(gone) if way == "forward" else bench.service.put_back(made))
        assert await caddy.config_text() == before
        assert not bench.book.routes
        assert not bench.service.routes()


async def test_the_route_of_another_agent_is_told_of_before_it_is_taken_over(
    bench: ProxyBench, caddy: Caddy, app: str, tmp_path: Path
) -> None:
    before = await caddy.config_text()
    body = RouteBody(upstreams=(app,), certificate=RouteCertificate.NONE)
    async with proxy_bench(tmp_path / "other", caddy.admin) as other:
        await other.put(body)
        await bench.put(body, "wiki.example.org")
        (warning,) = (await bench.service.plan(HOST, body)).warnings
        assert "of another agent" in warning
        assert (await bench.service.plan("wiki.example.org", body)).warnings == ()
        await bench.remove("wiki.example.org")
        await other.remove()
    assert await caddy.config_text() == before


async def test_a_route_of_an_agent_whose_store_was_lost_is_shown_as_left_over(
    tmp_path: Path,
) -> None:
    async with Caddy(tmp_path / "caddy") as caddy:
        async with proxy_bench(tmp_path / "lost", caddy.admin) as bench:
            await bench.put(BODIES["https"])
            assert [each.hosts for each in bench.board.foreign() if each.left_over] == []
        async with proxy_bench(tmp_path / "new", caddy.admin) as bench:
            await bench.put(BODIES["https"], "other.example.org")
            assert [each.hosts for each in bench.board.foreign() if each.left_over] == [(HOST,)]
            await bench.put(BODIES["https"])
            assert [each.hosts for each in bench.board.foreign() if each.left_over] == []
