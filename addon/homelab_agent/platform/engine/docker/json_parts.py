"""Parts of a JSON document whose shape is not ours to know: what is missing is empty."""

from pydantic import JsonValue

type JsonObject = dict[str, JsonValue]


def whole(value: JsonValue) -> JsonObject:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: JsonValue) -> list[JsonObject]:
    """Return the objects of a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def strings(value: JsonValue) -> list[str]:
    """Return the texts of a list."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    """Return a text; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: JsonValue) -> int:
    """Return a whole number; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
