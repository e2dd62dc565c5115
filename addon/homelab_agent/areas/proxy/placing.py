"""Putting the agent's parts into Caddy's configuration, and taking them out without a trace.

Pure: a world goes in, another comes out. What has to be made around a part is remembered, and is
removed as soon as it is as empty again as it was made; nothing of others is changed.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import JsonValue

from homelab_agent.areas.proxy.json_tree import (
    JsonObject,
    Place,
    as_list,
    as_text,
    as_texts,
    value_at,
    with_value,
    without_value,
)
from homelab_agent.areas.proxy.kept import Made, MadeSkip, MadeThing, Parts, PlacedRoute
from homelab_agent.areas.proxy.overview import Overview
from homelab_agent.areas.proxy.servers import (
    OWN_HTTP_ID,
    OWN_ID,
    SERVERS,
)

CERTIFICATES: Place = ("apps", "tls", "certificates", "load_pem")
_SKIPPED: Place = ("automatic_https", "skip_certificates")


@dataclass(frozen=True)
class World:
    """Caddy's configuration, and what of it the agent made."""

    document: JsonValue
    made: Made

    @cached_property
    def overview(self) -> Overview:
        """What the configuration holds; found once, as many routes may be looked for in it."""
        return Overview(self.document)


def parts_of(world: World, host: str) -> Parts:
    """Return what is there of one route."""
    routes = tuple(
        sorted(
            (
                *world.overview.with_id(OWN_ID + host),
                *world.overview.with_id(OWN_HTTP_ID + host),
            ),
            key=lambda each: (each.server, each.index),
        )
    )
    skips = tuple(
        each
        for each in world.made.skips
        if each.host == host and each.name in _skipped(world.document, each.server)
    )
    return Parts(routes=routes, skips=skips)


def with_parts(world: World, old: Parts, new: Parts) -> World:
    """Return a world with `new` instead of `old`; a server that is missing is made."""
    for skip in old.skips:
        world = _without_skip(world, skip)
    for placed in old.routes:
        world = _without_route(world, placed)
    for placed in new.routes:
        world = _with_route(world, placed)
    for skip in new.skips:
        world = _with_skip(world, skip)
    return world


def with_certificate(world: World, tag: str, certificate_pem: str, key_pem: str) -> World:
    """Return a world in which Caddy has this certificate, instead of another one of the tag."""
    entry: JsonObject = {"certificate": certificate_pem, "key": key_pem, "tags": [tag]}
    given = as_list(value_at(world.document, CERTIFICATES))
    if entry in given:
        return world
    world = _made(world, CERTIFICATES, [])
    places = [index for index, each in enumerate(given) if _is_tagged(each, tag)]
    kept = [each for index, each in enumerate(given) if index not in places]
    kept.insert(places[0] if places else len(kept), entry)
    return replace(world, document=with_value(world.document, CERTIFICATES, kept))


def without_certificate(world: World, tag: str) -> World:
    """Return a world in which Caddy does not have the certificate of a tag."""
    given = as_list(value_at(world.document, CERTIFICATES))
    kept = [each for each in given if not _is_tagged(each, tag)]
    if kept == given:
        return world
    return replace(world, document=with_value(world.document, CERTIFICATES, kept))


def certificate_of(world: World, tag: str) -> tuple[str, str] | None:
    """Return the certificate of a tag with its key, in PEM, where Caddy has it."""
    for each in as_list(value_at(world.document, CERTIFICATES)):
        if isinstance(each, dict) and _is_tagged(each, tag):
            return as_text(each.get("certificate")), as_text(each.get("key"))
    return None


def swept(world: World) -> World:
    """Return a world without what the agent made and nobody needs any more."""
    document, kept = world.document, []
    for thing in sorted(world.made.things, key=lambda each: len(each.place), reverse=True):
        found = value_at(document, thing.place)
        if found is None:
            continue
        if found != thing.empty:
            kept.append(thing)
        elif thing.place:
            document = without_value(document, thing.place)
        else:
            document = None
    return World(document, world.made.model_copy(update={"things": tuple(reversed(kept))}))


def _is_tagged(entry: JsonValue, tag: str) -> bool:
    return isinstance(entry, dict) and as_texts(entry.get("tags")) == [tag]


def _without_route(world: World, placed: PlacedRoute) -> World:
    place = (*SERVERS, placed.server, "routes")
    routes = as_list(value_at(world.document, place))
    wanted = placed.route.get("@id")
    kept = [each for each in routes if not (isinstance(each, dict) and each.get("@id") == wanted)]
    if kept == routes:
        return world
    return replace(world, document=with_value(world.document, place, kept))


def _with_route(world: World, placed: PlacedRoute) -> World:
    server = (*SERVERS, placed.server)
    listen: JsonObject = {"listen": [placed.listen]}
    world = _made(world, server, listen)
    world = _made(world, (*server, "routes"), [])
    place = (*server, "routes")
    routes = list(as_list(value_at(world.document, place)))
    routes.insert(placed.index, placed.route)
    return replace(world, document=with_value(world.document, place, routes))


def _with_skip(world: World, skip: MadeSkip) -> World:
    if skip.name in _skipped(world.document, skip.server):
        return world  # they said so themselves, and it stays theirs
    place = (*SERVERS, skip.server, *_SKIPPED)
    world = _made(world, place, [])
    names: list[JsonValue] = [*_skipped(world.document, skip.server), skip.name]
    return World(
        with_value(world.document, place, names),
        world.made.model_copy(update={"skips": (*world.made.skips, skip)}),
    )


def _without_skip(world: World, skip: MadeSkip) -> World:
    place = (*SERVERS, skip.server, *_SKIPPED)
    left: list[JsonValue] = [
        each for each in _skipped(world.document, skip.server) if each != skip.name
    ]
    skips = tuple(each for each in world.made.skips if each != skip)
    document = world.document
    if value_at(document, place) is not None:
        document = with_value(document, place, left)
    return World(document, world.made.model_copy(update={"skips": skips}))


def _skipped(document: JsonValue, server: str) -> list[str]:
    return as_texts(value_at(document, (*SERVERS, server, *_SKIPPED)))


def _made(world: World, place: Place, empty: JsonValue) -> World:
    """Return a world in which something stands at a place, and everything on the way there."""
    document, things = world.document, list(world.made.things)
    for length in range(len(place) + 1):
        here = place[:length]
        if value_at(document, here) is not None:
            continue
        value: JsonValue = empty if here == place else {}
        document = with_value(document, here, value) if here else value
        things = [each for each in things if each.place != here]
        # A Caddy without any configuration has none again.
        things.append(MadeThing(place=here, empty=value))
    return World(document, world.made.model_copy(update={"things": tuple(things)}))
