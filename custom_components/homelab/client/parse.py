"""Reads JSON values into the dataclasses of `models`. Each reader is compiled once.

Fields that a newer agent added are passed over; a field that is missing or of another type
than declared raises `ValueError` with its path.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from .errors import NotAnAgent
from .models import EACH_BY_ITSELF

_LOGGER = logging.getLogger(__name__)

type Reader[T] = Callable[[object], T]
type _Convert = Callable[[Any], Any]


def reader[T](model: type[T]) -> Reader[T]:
    """Return a function that reads one JSON object as `model`."""
    return cast("Reader[T]", _reader(model))


def understood[T](read: Reader[T], value: object) -> T:
    """Read `value`; raise `NotAnAgent` where it is not what the agent was to send."""
    try:
        return read(value)
    except ValueError as error:
        raise NotAnAgent(
            f"The agent sent something this version does not understand: {error}"
        ) from error


def _reader(model: type[Any]) -> _Convert:
    hints = get_type_hints(model)
    plan = tuple(
        (item.name, _converter(item, hints[item.name]), _default(item)) for item in fields(model)
    )

    def read(value: Any) -> Any:
        if value.__class__ is not dict:
            raise ValueError(f"expected an object, got {_name(value)}")
        arguments = {}
        for name, convert, default in plan:
            try:
                found = value[name]
            except KeyError:
                if default is MISSING:
                    raise ValueError(f"{name} is missing") from None
                arguments[name] = default
                continue
            try:
                arguments[name] = convert(found)
            except (ValueError, TypeError) as error:
                raise ValueError(f"{name}: {error}") from error
        return model(**arguments)

    return read


def _converter(item: Field[Any], hint: Any) -> _Convert:
    if EACH_BY_ITSELF.items() <= item.metadata.items():
        return _convert_readable(_convert(get_args(hint)[0]))
    return _convert(hint)


def _default(item: Field[Any]) -> Any:
    return item.default


def _convert(hint: Any) -> _Convert:
    origin = get_origin(hint)
    if origin is UnionType:
        options = get_args(hint)
        if NoneType in options:
            return _convert_optional(next(p for p in options if p is not NoneType))
        return _one_of(options)
    if origin is tuple:
        return _convert_tuple(_convert(get_args(hint)[0]))
    if is_dataclass(hint):
        return _reader(cast("type[Any]", hint))
    if hint in _SPECIAL:
        return _SPECIAL[hint]
    plain = dict if origin is Mapping else hint
    return cast("_Convert", hint) if issubclass(plain, Enum) else _exactly(plain)


def _convert_optional(hint: Any) -> _Convert:
    inner = _convert(hint)
    return lambda value: None if value is None else inner(value)


def _convert_tuple(inner: _Convert) -> _Convert:
    def convert(value: Any) -> tuple[Any, ...]:
        if value.__class__ is not list:
            raise ValueError(f"expected a list, got {_name(value)}")
        return tuple([inner(item) for item in value])

    return convert


def _convert_readable(inner: _Convert) -> _Convert:
    def convert(value: Any) -> tuple[Any, ...]:
        if value.__class__ is not list:
            raise ValueError(f"expected a list, got {_name(value)}")
        found = []
        for item in value:
            try:
                found.append(inner(item))
            except (ValueError, TypeError) as error:
                _LOGGER.warning("One entry of a list is passed over: %s", error)
        return tuple(found)

    return convert


def _exactly(expected: type) -> _Convert:
    def convert(value: Any) -> Any:
        if value.__class__ is not expected:
            raise ValueError(f"expected {expected.__name__}, got {_name(value)}")
        return value

    return convert


def _one_of(plain: tuple[type, ...]) -> _Convert:
    def convert(value: Any) -> Any:
        if value.__class__ not in plain:
            names = " or ".join(one.__name__ for one in plain)
            raise ValueError(f"expected {names}, got {_name(value)}")
        return value

    return convert


def _number(value: Any) -> float:
    if value.__class__ is int or value.__class__ is float:
        return float(value)
    raise ValueError(f"expected a number, got {_name(value)}")


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone, got {value}")
    return moment


def _as_it_is(value: Any) -> Any:
    return value


_SPECIAL: Mapping[Any, _Convert] = {datetime: _moment, float: _number, object: _as_it_is}


def _name(value: object) -> str:
    return type(value).__name__
