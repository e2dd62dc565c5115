"""Requests as models: whatever does not fit is refused with the field that is wrong."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from types import GenericAlias
from typing import get_args, get_origin

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from homelab_agent.platform.errors import Invalid, Malformed, NotFound, TooLarge
from homelab_agent.platform.model import Model

MAX_BODY_BYTES = 1024 * 1024
BODY_DEADLINE_S = 30.0
MAX_PATH_PARAMETER_CHARS = 300
MAX_REASON_CHARS = 300
"""A reason may quote what was sent, and that may be a megabyte."""


def parse_path(request: web.Request, names: Sequence[str]) -> dict[str, str]:
    """Return the path parameters; what cannot be anybody's name is not found."""
    values = {name: request.match_info[name] for name in names}
    for name, value in values.items():
        if len(value) > MAX_PATH_PARAMETER_CHARS or not value.isprintable():
            raise NotFound(f"{value[:40]!r} cannot be the name of anything.", field=name)
    return values


def parse_query[Q: Model](request: web.Request, model: type[Q]) -> Q:
    """Return the query parameters as `model`. They arrive as text, so text is converted."""
    many = {name for name, field in model.model_fields.items() if _is_list(field.annotation)}
    values: dict[str, str | list[str]] = {}
    for name in request.query:
        found = request.query.getall(name)
        if name in many:
            values[name] = found
        elif len(found) > 1:
            raise Invalid(f"{_shown(name)} is given {len(found)} times.", field=_shown(name))
        else:
            values[name] = found[0]
    try:
        parsed = model.model_validate(values, strict=False)
    except ValidationError as error:
        raise _invalid(error, model, "query parameter") from None
    _refuse_nul(parsed)
    return parsed


def refuse_query(request: web.Request) -> None:
    """Raise `Invalid` where a query was sent to what takes none."""
    for name in request.query:
        raise Invalid(
            f"Unknown query parameter {_shown(name)!r}.", field=_shown(name), hint="It takes none."
        )


async def parse_body[B: Model](request: web.Request, model: type[B], deadline_s: float) -> B:
    """Return the body as `model`, strictly; no body is an empty one."""
    body = await _read(request, deadline_s)
    if body.strip():
        _require_json(request)
    try:
        parsed = model.model_validate_json(body if body.strip() else b"{}", strict=True)
    except ValidationError as error:
        raise _invalid(error, model, "field") from None
    _refuse_nul(parsed)
    return parsed


async def refuse_body(request: web.Request, deadline_s: float) -> None:
    """Raise `Invalid` where something was sent to what takes no body."""
    if request.can_read_body and (await _read(request, deadline_s)).strip() not in {b"", b"{}"}:
        raise Invalid("This takes no body.", field="body")


async def _read(request: web.Request, deadline_s: float) -> bytes:
    too_large = TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.", field="body")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large
    try:
        async with asyncio.timeout(deadline_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large from None
    except TimeoutError:
        raise Malformed(
            f"The body did not arrive within {deadline_s:g} seconds.", field="body"
        ) from None
    except web.RequestPayloadError, ValueError:
        # A broken encoding of the transfer, or of what it carries.
        raise Malformed("The body cannot be read.", field="body") from None


def _require_json(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise Malformed(
            f"The body is {request.content_type[:80]}.",
            field="Content-Type",
            hint="Send application/json.",
        )


def _invalid(error: ValidationError, model: type[Model], what: str) -> Invalid:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Malformed(f"The body is no JSON: {_sentence(first)}", field="body")
    field = _shown(".".join(str(part) for part in first["loc"])) or "body"
    if first["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        return Invalid(f"Unknown {what} {field!r}.", field=field, hint=f"Known are: {known}.")
    if first["type"] == "missing":
        return Invalid(f"The {what} {field!r} is missing.", field=field)
    return Invalid(f"{field}: {_sentence(first)}", field=field)


def _sentence(details: ErrorDetails) -> str:
    text = details["msg"].removeprefix("Invalid JSON: ")
    if len(text) > MAX_REASON_CHARS:
        return f"{text[:MAX_REASON_CHARS]}..."
    return text if text.endswith(".") else f"{text}."


def _shown(name: str) -> str:
    """Return a name that a stranger chose, fit to be shown."""
    return name[:100].encode("ascii", "backslashreplace").decode()


def _is_list(annotation: object) -> bool:
    if isinstance(annotation, GenericAlias) or get_origin(annotation) is not None:
        origin = get_origin(annotation)
        if origin in {list, tuple, set, frozenset}:
            return True
        return any(_is_list(part) for part in get_args(annotation))
    return False


def _refuse_nul(model: Model) -> None:
    """Raise `Invalid` for NUL bytes: no name, path or text of ours holds one, and C stops there."""
    for field, text in _texts(model.model_dump(mode="python"), ""):
        if "\x00" in text:
            raise Invalid(f"{field} holds a NUL character.", field=field)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case Mapping():
            for key, inner in value.items():
                yield from _texts(key, path)
                yield from _texts(inner, f"{path}.{key}".lstrip("."))
        case list() | tuple() | set() | frozenset():
            for index, inner in enumerate(value):
                yield from _texts(inner, f"{path}.{index}")
