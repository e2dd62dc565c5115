"""A place within a JSON document (RFC 6901)."""

import re

from pydantic import JsonValue

_INDEX = re.compile(r"0|[1-9][0-9]*")


class NothingThere(Exception):
    """The document has no such place. `reached` is how far the way goes."""

    def __init__(self, reached: str) -> None:
        super().__init__(reached)
        self.reached = reached


def value_at(document: JsonValue, pointer: str) -> JsonValue:
    """Return what is there; "" is the whole document.

    Raises:
        NothingThere: nothing is.
    """
    value = document
    reached = ""
    for escaped in pointer.split("/")[1:]:
        name = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            raise NothingThere(reached)
        reached += f"/{escaped}"
    return value


def same(one: JsonValue, other: JsonValue) -> bool:
    """Return whether two values are the same in JSON: 1 is 1.0, but not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other, strict=True))
    return one == other
