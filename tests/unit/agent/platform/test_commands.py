# ruff: noqa: ARG001, ARG002  # handlers are declared here to be read, never called
from collections.abc import Callable
from typing import Any

import pytest

from homelab_agent.platform.commands import Caller, Registry, Scope, command, query
from homelab_agent.platform.model import Model


class Answer(Model):
    """What every handler here answers."""


class Options(Model):
    """A body."""


class Filter(Model):
    """A query."""


class Lights:
    """A well declared area."""

    @query("lights.list", "/lights")
    async def list_lights(self, query: Filter) -> Answer:
        """List the lights.

        More that is for programmers.
        """
        return Answer()

    @command("lights.on", "POST", "/lights/{name}/on", scope=Scope.OPERATE, target="light")
    async def turn_on(self, caller: Caller, name: str, body: Options) -> Answer:
        """Turn a light on."""
        return Answer()

    async def helper(self) -> Answer:
        """Not declared, so not reachable."""
        return Answer()


def _registry(*routes: object) -> Registry:
    registry = Registry()
    for each in routes:
        registry.collect(each)
    return registry


def test_what_is_declared_is_what_exists_and_nothing_else() -> None:
    on, listed = sorted(_registry(Lights()).operations(), key=lambda each: each.name, reverse=True)

    assert [listed.name, on.name] == ["lights.list", "lights.on"]
    assert (on.takes_caller, on.path_parameters, on.body, on.query) == (
        True,
        ("name",),
        Options,
        None,
    )
    assert (listed.takes_caller, listed.query, listed.body, listed.result) == (
        False,
        Filter,
        None,
        Answer,
    )
    assert listed.summary == "List the lights."


def test_what_a_declaration_does_not_say_is_taken_as_dangerous() -> None:
    on = next(each for each in _registry(Lights()).operations() if each.name == "lights.on")

    assert on.declaration.changes
    assert on.declaration.dangerous
    assert not on.declaration.idempotent


@pytest.mark.parametrize(
    ("has", "needs", "allowed"),
    [
        (Scope.READ, Scope.READ, True),
        (Scope.READ, Scope.OPERATE, False),
        (Scope.READ, Scope.ADMIN, False),
        (Scope.OPERATE, Scope.READ, True),
        (Scope.OPERATE, Scope.OPERATE, True),
        (Scope.OPERATE, Scope.ADMIN, False),
        (Scope.ADMIN, Scope.READ, True),
        (Scope.ADMIN, Scope.OPERATE, True),
        (Scope.ADMIN, Scope.ADMIN, True),
    ],
)
def test_a_scope_allows_itself_and_less(has: Scope, needs: Scope, *, allowed: bool) -> None:
    assert has.includes(needs) is allowed


class SameName:
    @query("lights.list", "/other")
    async def other(self) -> Answer:
        """List something else."""
        return Answer()


class SameRoute:
    @query("lamps.list", "/lights")
    async def other(self) -> Answer:
        """List something else."""
        return Answer()


class SameRouteOtherWord:
    @command("lamps.on", "POST", "/lights/{lamp}/on", scope=Scope.OPERATE)
    async def other(self, lamp: str) -> Answer:
        """Turn a lamp on."""
        return Answer()


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (SameName(), "declared twice"),
        (SameRoute(), "declare the same route"),
        (SameRouteOtherWord(), "declare the same route"),
    ],
)
def test_declaring_twice_stops_the_start_instead_of_the_last_one_winning(
    second: object, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        _registry(Lights(), second)


async def _unknown_parameter(_self: object, size: int) -> Answer:
    """Do."""
    return Answer()


async def _missing_parameter(_self: object) -> Answer:
    """Do."""
    return Answer()


async def _wrong_type(_self: object, name: int) -> Answer:
    """Do."""
    return Answer()


async def _no_words(_self: object, name: str) -> Answer:
    return Answer()


async def _no_model(_self: object, name: str) -> dict[str, str]:
    """Do."""
    return {}


async def _no_result(_self: object, name: str):  # type: ignore[no-untyped-def] # noqa: ANN202
    """Do."""


async def _wrong_body(_self: object, name: str, body: dict[str, str]) -> Answer:
    """Do."""
    return Answer()


async def _untyped_body(_self: object, name: str, body) -> Answer:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Do."""
    return Answer()


async def _good(_self: object, name: str) -> Answer:
    """Do."""
    return Answer()


@pytest.mark.parametrize(
    ("handler", "path", "said"),
    [
        (_unknown_parameter, "/x", r"unknown parameters \['size'\]"),
        (_missing_parameter, "/x/{name}", r"missing path parameters \['name'\]"),
        (_wrong_type, "/x/{name}", r"path parameters \['name'\] must be str"),
        (_no_words, "/x/{name}", "a handler needs a docstring"),
        (_no_model, "/x/{name}", "return must be a Model"),
        (_no_result, "/x/{name}", "a handler returns a model"),
        (_untyped_body, "/x/{name}", r"\['body'\] must be a Model"),
        (_wrong_body, "/x/{name}", "body must be a Model"),
        (_missing_parameter, "/x", "a target needs a path parameter"),
    ],
)
def test_a_wrong_declaration_stops_the_start_and_is_named(
    handler: Callable[..., Any], path: str, said: str
) -> None:
    mark = command("x.do", "POST", path, scope=Scope.READ, target="x")
    routes = type("Routes", (), {"handler": mark(handler)})()

    with pytest.raises(ValueError, match=f"x.do: .*{said}"):
        _registry(routes)


def test_the_checks_above_let_a_good_one_through() -> None:
    mark = command("x.do", "POST", "/x/{name}", scope=Scope.READ, target="x")
    routes = type("Routes", (), {"handler": mark(_good)})()

    assert [each.name for each in _registry(routes).operations()] == ["x.do"]
