import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import JsonValue

from homelab_agent.api.openapi import openapi_document
from homelab_agent.api.other_routes import BASE_PATH
from homelab_agent.api.problems import wire_errors
from homelab_agent.platform.commands import Operation, Registry, Scope
from homelab_agent.platform.contract import stream_schema
from homelab_agent.surface import RESOURCE_KINDS, ROUTES, described_operations

ADDON = Path(__file__).parents[2] / "addon"
OPEN_TO_EVERYBODY = {"agent.health"}

type Json = dict[str, JsonValue]


def as_json(value: JsonValue) -> Json:
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def document() -> Json:
    return openapi_document(described_operations(), BASE_PATH)


@pytest.fixture(scope="module")
def described(document: Json) -> dict[str, Json]:
    """Every operation of the document, by id."""
    found = {}
    for path in as_json(document["paths"]).values():
        for operation in as_json(path).values():
            found[str(as_json(operation)["operationId"])] = as_json(operation)
    return found


def test_the_description_is_openapi_3_1(document: Json) -> None:
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_the_committed_description_is_the_one_of_this_agent(document: Json) -> None:
    assert json.loads((ADDON / "openapi.json").read_text()) == document


def test_the_committed_stream_messages_are_those_of_this_agent() -> None:
    committed = json.loads((ADDON / "stream.schema.json").read_text())
    assert committed == stream_schema(RESOURCE_KINDS)
    for schema in (*committed["messages"].values(), *committed["kinds"].values()):
        Draft202012Validator.check_schema(schema)


def test_the_same_agent_describes_itself_in_the_same_words() -> None:
    first, second = (
        json.dumps(openapi_document(reversed(described_operations()), BASE_PATH)) for _ in range(2)
    )
    assert first == second


def test_every_route_says_who_may_use_it(described: dict[str, Json]) -> None:
    scopes = {name: operation["x-scope"] for name, operation in described.items()}
    assert {name for name, scope in scopes.items() if scope is None} == OPEN_TO_EVERYBODY
    assert {scope for scope in scopes.values() if scope} <= set(Scope)
    for name, operation in described.items():
        assert operation.get("security") == ([] if name in OPEN_TO_EVERYBODY else None), name


def test_what_changes_something_is_not_for_readers() -> None:
    for operation in described_operations():
        if operation.declaration.changes:
            assert operation.declaration.scope in {Scope.OPERATE, Scope.ADMIN}, operation.name
            assert operation.declaration.method != "GET", operation.name
        else:
            assert operation.declaration.method == "GET", operation.name


def test_every_command_says_whether_it_may_be_repeated(described: dict[str, Json]) -> None:
    for operation in described_operations():
        declared, shown = operation.declaration, described[operation.name]
        assert shown["x-idempotent"] == declared.idempotent
        assert shown["x-changes"] == declared.changes


def test_a_dangerous_command_has_a_target_that_can_be_protected() -> None:
    for operation in described_operations():
        if operation.declaration.changes and operation.declaration.dangerous:
            assert operation.declaration.target is not None, operation.name


def test_every_error_an_answer_can_carry_is_described(document: Json) -> None:
    responses = as_json(as_json(document["components"])["responses"])
    described = {
        str(code): name
        for name, response in responses.items()
        if name != "Problem"
        for code in _codes(response)
    }
    assert described == {error.code: f"Problem{error.status}" for error in wire_errors()}


def _codes(response: JsonValue) -> list[JsonValue]:
    codes = as_json(response)["x-codes"]
    assert isinstance(codes, list)
    return codes


def test_every_operation_lists_the_problems_it_answers(described: dict[str, Json]) -> None:
    for name, operation in described.items():
        listed = set(as_json(operation["responses"]))
        assert {"422", "429", "500", "default"} <= listed, name
        if name not in OPEN_TO_EVERYBODY:
            assert {"401", "403", "503"} <= listed, name
        if operation["x-changes"]:
            # Only what a job may do can still run when it is answered.
            still_running = {"202"} if "CommandResult" in str(operation["responses"]) else set()
            assert {"400", "409", "413", "502", "504"} | still_running <= listed, name


def test_everything_that_is_referred_to_is_there(document: Json) -> None:
    components = as_json(document["components"])
    for reference in set(re.findall(r'"\$ref": "#/components/([^"]+)"', json.dumps(document))):
        kind, name = reference.split("/")
        assert name in as_json(components[kind])


def test_every_operation_is_explained(described: dict[str, Json]) -> None:
    for name, operation in described.items():
        assert str(operation["summary"]).endswith("."), name


def test_a_route_cannot_be_declared_twice() -> None:
    registry = Registry()
    registry.collect(ROUTES[0])
    with pytest.raises(ValueError, match="declared twice"):
        registry.collect(ROUTES[0])


def test_the_routes_that_the_contract_names_are_there(document: Json) -> None:
    containers = f"{BASE_PATH}/containers"
    commands = ("start", "stop", "restart", "pause", "unpause", "kill")
    assert set(as_json(document["paths"])) >= {
        "/metrics",
        f"{BASE_PATH}/health",
        f"{BASE_PATH}/info",
        f"{BASE_PATH}/openapi.json",
        f"{BASE_PATH}/stream",
        containers,
        f"{containers}/{{name}}",
        f"{containers}/{{name}}/logs",
        *(f"{containers}/{{name}}/{command}" for command in commands),
        f"{BASE_PATH}/activity",
        f"{BASE_PATH}/jobs",
        f"{BASE_PATH}/jobs/{{id}}",
    }


def test_every_handler_is_described() -> None:
    operations: tuple[Operation, ...] = described_operations()
    assert len({operation.name for operation in operations}) == len(operations) >= 13


def test_no_pattern_of_a_text_costs_a_megabyte_of_memory(document: Json) -> None:
    # Each repetition of a class with all of Unicode in it is compiled by itself, for each model.
    counted = re.compile(r"(\\[SDWw]|\[\^[^]]*\]|\[[^]]*\\[SDWw][^]]*\])\{(\d*,)?\d{2,}\}")
    patterns = re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(document))
    costly = {each for each in map(json.loads, patterns) if counted.search(each)}
    assert costly <= {r"^[^\s:]{1,64}$"}, "say the length with min_length and max_length"
    assert counted.search(r"^/\S{0,500}$")
