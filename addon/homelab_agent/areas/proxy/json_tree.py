"""Caddy's configuration as a tree of JSON: what stands where, and the smallest change of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

type JsonObject = dict[str, JsonValue]
type Place = tuple[str, ...]
"""Where something stands: the keys from the root to it."""


class Verb(StrEnum):
    """How Caddy's admin API is told to change something at a place."""

    CREATE = "PUT"
    REPLACE = "PATCH"
    REMOVE = "DELETE"


@dataclass(frozen=True, slots=True)
class Change:
    """One change at one place. The root is replaced as a whole, by `Verb.CREATE`."""

    verb: Verb
    place: Place
    value: JsonValue = None


def as_object(value: JsonValue) -> JsonObject:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue) -> str:
    """Return a text; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def as_texts(value: JsonValue) -> list[str]:
    """Return the texts of a list."""
    return [each for each in as_list(value) if isinstance(each, str)]


def value_at(root: JsonValue, place: Sequence[str]) -> JsonValue:
    """Return what stands at a place; None where nothing does."""
    for key in place:
        if not isinstance(root, dict) or key not in root:
            return None
        root = root[key]
    return root


def with_value(root: JsonValue, place: Sequence[str], value: JsonValue) -> JsonObject:
    """Return a copy in which `value` stands at `place`; objects on the way there are made."""
    here = dict(as_object(root))
    key, *rest = place
    here[key] = with_value(here.get(key), rest, value) if rest else value
    return here


def without_value(root: JsonValue, place: Sequence[str]) -> JsonObject:
    """Return a copy without what stands at `place`."""
    here = dict(as_object(root))
    key, *rest = place
    if key not in here:
        return here
    if rest:
        here[key] = without_value(here[key], rest)
    else:
        del here[key]
    return here


def smallest_change(before: JsonValue, after: JsonValue) -> Change | None:
    """Return the one change that makes `after` of `before`; None where they are equal."""
    if before == after:
        return None
    return _change_below((), before, after)


def _change_below(place: Place, before: JsonValue, after: JsonValue) -> Change:
    if isinstance(before, dict) and isinstance(after, dict):
        key = _only_difference(before, after)
        if key is not None:
            below = (*place, key)
            if key not in before:
                return Change(Verb.CREATE, below, after[key])
            if key not in after:
                return Change(Verb.REMOVE, below)
            return _change_below(below, before[key], after[key])
    if not place:
        return Change(Verb.CREATE, place, after)
    return Change(Verb.REPLACE, place, after)


def _only_difference(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> str | None:
    """Return the one key at which two objects differ, where Caddy's paths can name it."""
    missing = object()
    differing = [
        key
        for key in before.keys() | after.keys()
        if before.get(key, missing) != after.get(key, missing)
    ]
    if len(differing) != 1 or not differing[0] or "/" in differing[0]:
        return None
    return differing[0]
