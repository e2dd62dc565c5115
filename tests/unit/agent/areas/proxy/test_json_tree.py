import pytest
from pydantic import JsonValue

from homelab_agent.areas.proxy.json_tree import (
    Change,
    Verb,
    smallest_change,
    with_value,
    without_value,
)

BEFORE: JsonValue = {"a": {"b": {"c": 1, "d": [1]}, "x/y": 1}, "e": 2}


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (BEFORE, None),
        (with_value(BEFORE, ("a", "b", "c"), 2), Change(Verb.REPLACE, ("a", "b", "c"), 2)),
        (with_value(BEFORE, ("a", "b", "n"), {}), Change(Verb.CREATE, ("a", "b", "n"), {})),
        (without_value(BEFORE, ("a", "b", "d")), Change(Verb.REMOVE, ("a", "b", "d"))),
        (
            with_value(with_value(BEFORE, ("a", "b", "c"), 2), ("a", "n"), 1),
            Change(Verb.REPLACE, ("a",), {"b": {"c": 2, "d": [1]}, "x/y": 1, "n": 1}),
        ),
        # Caddy's paths cannot name this key: what is around it is written.
        (
            with_value(BEFORE, ("a", "x/y"), 2),
            Change(Verb.REPLACE, ("a",), {"b": {"c": 1, "d": [1]}, "x/y": 2}),
        ),
        ({"a": 1}, Change(Verb.CREATE, (), {"a": 1})),
        (None, Change(Verb.CREATE, (), None)),
    ],
)
def test_only_what_differs_is_written(after: JsonValue, change: Change | None) -> None:
    assert smallest_change(BEFORE, after) == change


def test_nothing_of_the_tree_before_is_changed() -> None:
    tree: JsonValue = {"a": {"b": 1}}
    with_value(tree, ("a", "b"), 2)
    without_value(tree, ("a", "b"))
    assert tree == {"a": {"b": 1}}
    assert without_value(tree, ("x", "y")) == tree
