"""What of a route is not in Caddy as it should be, in words."""

from collections.abc import Iterator

from pydantic import JsonValue
from pydantic_core import to_json

from homelab_agent.areas.proxy.json_tree import JsonObject, as_object, as_text
from homelab_agent.areas.proxy.kept import Parts, PlacedRoute
from homelab_agent.areas.proxy.secret_values import masked, secret_keys
from homelab_agent.areas.proxy.servers import OWN_HTTP_ID

MOST_LINES = 20

_LONGEST_VALUE = 120


def difference(found: Parts, wanted: Parts) -> tuple[str, ...]:
    """Return a line for each difference, the most telling first; none where all is right."""
    lines = [*_routes(found, wanted), *_skips(found, wanted)]
    more = len(lines) - MOST_LINES
    return (*lines[:MOST_LINES], *([f"and {more} more"] if more > 0 else []))


def as_shown(parts: Parts) -> str | None:
    """Return what is there of a route as JSON for people, None for nothing; no secret is in it."""
    if not parts.routes:
        return None
    shown: JsonValue = [masked(dict(each.route)) for each in parts.routes]
    return to_json(shown, indent=2).decode()


def _routes(found: Parts, wanted: Parts) -> Iterator[str]:
    theirs = {_id(each): each for each in found.routes}
    for placed in wanted.routes:
        there = theirs.pop(_id(placed), None)
        if there is None:
            yield f"There is no route for {_what(placed)}."
            continue
        if there.server != placed.server:
            yield f"The route for {_what(placed)} is in {there.server}, not in {placed.server}."
        yield from _values("", there.route, placed.route)
    for left in theirs.values():
        yield f"There is a route for {_what(left)} that should not be there."


def _skips(found: Parts, wanted: Parts) -> Iterator[str]:
    names = {each.name for each in found.skips}
    for skip in wanted.skips:
        if skip.name not in names:
            yield f"Caddy would order a certificate for {skip.name} by itself."


def _id(placed: PlacedRoute) -> str:
    return as_text(placed.route.get("@id"))


def _what(placed: PlacedRoute) -> str:
    return "plain HTTP" if _id(placed).startswith(OWN_HTTP_ID) else "HTTPS"


def _values(place: str, found: JsonValue, wanted: JsonValue) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(wanted, dict):
        yield from _fields(place, found, wanted)
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for index, (theirs, ours) in enumerate(zip(found, wanted, strict=True)):
            yield from _values(f"{place}.{index}", theirs, ours)
    elif found != wanted:
        yield f"{place} is {_short(found)}; it should be {_short(wanted)}."


def _fields(place: str, found: JsonObject, wanted: JsonObject) -> Iterator[str]:
    secret = secret_keys(found) | secret_keys(wanted)
    shown_found, shown_wanted = as_object(masked(found)), as_object(masked(wanted))
    for key in sorted({*found, *wanted}):
        below = f"{place}.{key}" if place else key
        if key not in found:
            yield f"{below} is missing; it should be {_short(shown_wanted[key])}."
        elif key not in wanted:
            yield f"{below} is {_short(shown_found[key])}; it should not be there."
        elif key not in secret:
            yield from _values(below, found[key], wanted[key])
        elif found[key] != wanted[key]:
            yield f"{below} is another secret than it should be."


def _short(value: JsonValue) -> str:
    text = to_json(masked(value)).decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
