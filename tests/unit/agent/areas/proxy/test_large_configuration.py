import time

from pydantic import JsonValue

from homelab_agent.areas.proxy.choosing import choose, shadowing
from homelab_agent.areas.proxy.kept import Made, Parts
from homelab_agent.areas.proxy.models import KeptRoute, RouteCertificate, RouteOptions
from homelab_agent.areas.proxy.placing import World, parts_of, with_parts
from tests.clock import HandClock

MOST_S = 3
"""Far more than it takes; looking through all routes of others for each of ours takes longer."""


def caddy_with(routes: list[JsonValue]) -> World:
    main: JsonValue = {"listen": [":443"], "routes": routes}
    return World({"apps": {"http": {"servers": {"main": main}}}}, Made())


def test_many_routes_in_a_large_configuration_of_others_do_not_hold_up_the_agent(
    clock: HandClock,
) -> None:
    theirs: list[JsonValue] = [
        {"match": [{"host": [f"{number}.other.test"]}], "handle": [], "terminal": True}
        for number in range(2000)
    ]
    world, bare = caddy_with(theirs), caddy_with([])
    kept = [
        KeptRoute(
            host=f"{number}.example.org",
            upstreams=("192.0.2.1:80",),
            certificate=RouteCertificate.CADDY,
            options=RouteOptions(),
            changed_at=clock(),
        )
        for number in range(200)
    ]
    for route in kept:
        world = with_parts(world, Parts(), choose(bare, Parts(), route, {}, None).parts)
    begun = time.process_time()
    for route in kept:
        now = parts_of(world, route.host)
        assert now.routes
        assert now.routes[0].index == choose(world, now, route, {}, None).parts.routes[0].index
        assert not shadowing(world.overview, now.routes[0], frozenset({route.host}))
    assert time.process_time() - begun < MOST_S
