"""The client's models against the agent's published schemas, field by field.

They are written twice, because the two programs share no code. Where they drift apart, a person
would see entities without values, or an integration that no longer connects.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from homelab_agent import areas
from homelab_agent.api.problems import wire_errors
from homelab_agent.platform import contract as agent_contract
from homelab_agent.platform.model import Model
from tests.contract.client_package import FOLDER, client_module

type Schema = Mapping[str, Any]

ADDON = Path(__file__).parents[2] / "addon"
OPENAPI: Schema = json.loads((ADDON / "openapi.json").read_text())
STREAM: Schema = json.loads((ADDON / "stream.schema.json").read_text())
SCHEMAS: Schema = OPENAPI["components"]["schemas"]

MODELS = client_module("models")
ERRORS = client_module("errors")

UNKNOWN = "unknown"
"""What the client's enums have beside the agent's values: the values of a newer agent."""


def named(base: type) -> dict[str, type]:
    """Return the classes of a kind that the client's models define."""
    return {
        name: found
        for name, found in vars(MODELS).items()
        if isinstance(found, type)
        and issubclass(found, base)
        and found.__module__.startswith(f"{MODELS.__name__}.")
    }


ENUMS = {name: found for name, found in named(StrEnum).items() if name != "OpenEnum"}
CLASSES = {name: found for name, found in named(object).items() if is_dataclass(found)}
OF_REQUESTS = {
    "AuthoritativeQuery",
    "CertificateDeleteQuery",
    "ConnectionQuery",
    "ContainerQuery",
    "DomainDeleteQuery",
    "DomainHistoryQuery",
    "DomainQuery",
    "ExportQuery",
    "FileQuery",
    "HistoryQuery",
    "LogFollowQuery",
    "LogSearchQuery",
    "LogsQuery",
    "OccurrenceQuery",
    "PortQuery",
    "ProcessQuery",
    "PruneQuery",
    "ReportQuery",
    "ZoneQuery",
}
"""Sent as query parameters, which OpenAPI lists with the operation."""


def of_the_agent() -> dict[str, type[Model]]:
    """Return the models of all areas of the agent."""
    return {
        name: found
        for area in iter_modules(areas.__path__)
        if find_spec(f"{areas.__name__}.{area.name}.models")
        for name, found in vars(import_module(f"{areas.__name__}.{area.name}.models")).items()
        if isinstance(found, type) and issubclass(found, Model)
    }


THEIRS = of_the_agent()


@dataclass(frozen=True)
class Subject:
    """One client class and the schema it mirrors. `root` holds what the schema refers to."""

    name: str
    schema: Schema
    root: Schema


def subjects() -> Iterator[Subject]:
    """Yield everything that is mirrored, from both files."""
    for name in CLASSES:
        if name in SCHEMAS:
            yield Subject(name, SCHEMAS[name], OPENAPI)
        elif name in THEIRS and name not in OF_REQUESTS:
            schema = THEIRS[name].model_json_schema()
            yield Subject(name, schema, schema)
    for schema in STREAM["kinds"].values():
        if schema["title"] in CLASSES:
            yield Subject(schema["title"], schema, schema)
    for schema in STREAM["messages"].values():
        yield Subject(schema["title"], schema, schema)
        for name, definition in schema.get("$defs", {}).items():
            if definition.get("type") == "object":
                yield Subject(name, definition, schema)


ALL = list(subjects())


def resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a reference."""
    if "$ref" not in schema:
        return schema
    found: Any = root
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found, root)


def shape_of_schema(schema: Schema, root: Schema) -> str:
    """Say what a schema allows, in the words of `shape_of_hint`."""
    if "anyOf" in schema:
        options = [shape_of_schema(option, root) for option in schema["anyOf"]]
        inner = "|".join(option for option in options if option != "null")
        return f"{inner}?" if "null" in options else inner
    named = "$ref" in schema
    schema = resolved(schema, root)
    if "oneOf" in schema:
        # One of many kinds, told by a member: the client hands it on as it is.
        return "{any}"
    kind = str(schema.get("type", "object"))  # of none: any JSON
    if kind == "array":
        return f"[{shape_of_schema(schema['items'], root)}]"
    if kind == "object":
        return shape_of_object(schema, root)
    if schema.get("format") == "date-time":
        return "datetime"
    # What is written out where it is used is no enum of its own.
    return str(schema["title"]) if named and "enum" in schema else kind


def shape_of_object(schema: Schema, root: Schema) -> str:
    """Name a model, or say what a plain mapping holds."""
    if "properties" in schema:
        return str(schema["title"])
    if "type" not in schema:
        return "object"
    held = schema.get("additionalProperties")
    if isinstance(held, dict) and shape_of_schema(held, root) == "string":
        return "{str}"
    return "{any}"


WORDS = {str: "string", int: "integer", float: "number", bool: "boolean", datetime: "datetime"}


def shape_of_hint(hint: Any) -> str:
    """Say what a client's field holds, in the words of `shape_of_schema`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        inner = "|".join(shape_of_hint(one) for one in arguments if one is not NoneType)
        return f"{inner}?" if NoneType in arguments else inner
    if origin is tuple:
        return f"[{shape_of_hint(arguments[0])}]"
    if origin is Mapping:
        return "{str}" if arguments[1] is str else "{any}"
    return WORDS.get(hint, getattr(hint, "__name__", str(hint)))


@pytest.mark.parametrize("subject", ALL, ids=lambda one: one.name)
def test_the_client_reads_every_field_the_agent_sends(subject: Subject) -> None:
    model = CLASSES[subject.name]
    hints = get_type_hints(model)
    ours = {field.name: shape_of_hint(hints[field.name]) for field in fields(model)}
    theirs = {
        name: shape_of_schema(schema, subject.root)
        for name, schema in subject.schema["properties"].items()
    }
    assert ours == theirs


@pytest.mark.parametrize("subject", ALL, ids=lambda one: one.name)
def test_the_client_requires_nothing_that_the_agent_may_leave_out(subject: Subject) -> None:
    required = {field.name for field in fields(CLASSES[subject.name]) if field.default is MISSING}
    assert required <= set(subject.schema.get("required", ()))


def enum_schemas() -> dict[str, set[str]]:
    """Return the values of every enum in both files."""
    found: dict[str, set[str]] = {}
    published = [
        *STREAM["kinds"].values(),
        *(model.model_json_schema() for model in THEIRS.values()),
    ]
    definitions = [SCHEMAS, *(schema.get("$defs", {}) for schema in published)]
    for group in definitions:
        for name, schema in group.items():
            if "enum" in schema:
                found.setdefault(name, set()).update(schema["enum"])
    return found


@pytest.mark.parametrize("name", sorted(ENUMS.keys() - {"ContainerCommand"}))
def test_the_client_knows_every_value_of_an_enum(name: str) -> None:
    ours = {value.value for value in ENUMS[name]}
    assert ours == enum_schemas()[name] | {UNKNOWN}


@pytest.mark.parametrize("name", sorted(ENUMS.keys() - {"ContainerCommand"}))
def test_a_value_of_a_newer_agent_is_no_error(name: str) -> None:
    assert ENUMS[name]("from-the-future").value == UNKNOWN


def test_no_model_of_the_client_is_left_unchecked() -> None:
    assert CLASSES.keys() - OF_REQUESTS == {subject.name for subject in ALL}


def test_every_kind_that_the_agent_publishes_is_followed() -> None:
    kinds = {kind.name: kind.model.__name__ for kind in client_module("kinds").KINDS}
    published = {kind: schema["title"] for kind, schema in STREAM["kinds"].items()}
    assert kinds | published == kinds


def test_who_the_agent_is_can_be_read_from_its_longer_description() -> None:
    longer = SCHEMAS["AgentDetails"]["properties"]
    for field, hint in get_type_hints(MODELS.AgentInfo).items():
        assert shape_of_schema(longer[field], OPENAPI) == shape_of_hint(hint), field


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("ContainerQuery", "/api/v1/containers"),
        ("LogsQuery", "/api/v1/containers/{name}/logs"),
    ],
)
def test_the_agent_takes_every_filter_of_the_client(model: str, path: str) -> None:
    parameters = {
        one["name"]: shape_of_schema(one["schema"], OPENAPI)
        for one in OPENAPI["paths"][path]["get"]["parameters"]
        if one["in"] == "query"
    }
    hints = get_type_hints(CLASSES[model])
    assert {name: shape_of_hint(hint) for name, hint in hints.items()} == parameters


BODIES = {"stop": "StopBody", "restart": "StopBody", "kill": "KillBody"}


@pytest.mark.parametrize("command", [one.value for one in MODELS.ContainerCommand])
def test_the_agent_takes_every_command_of_the_client(command: str) -> None:
    post = OPENAPI["paths"][f"/api/v1/containers/{{name}}/{command}"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert body["$ref"].rpartition("/")[2] == BODIES.get(command, "CommandBody")


def test_every_error_the_agent_answers_becomes_the_same_class_in_the_client() -> None:
    for theirs in wire_errors():
        problem = {"code": theirs.code, "detail": "So it is.", "title": theirs.title}
        ours = ERRORS.from_problem(theirs.status, problem)
        assert (type(ours).__name__, ours.code, ours.status) == (
            theirs.__name__,
            theirs.code,
            theirs.status,
        )


def test_the_client_understands_the_agent_beside_it() -> None:
    contract = client_module("contract")
    assert STREAM["oldest"] <= contract.CONTRACT_VERSION
    assert STREAM["contract"] >= contract.CONTRACT_OLDEST


def test_both_sides_mean_the_same_by_a_close_code() -> None:
    session = client_module("session")
    for name in ("CLOSE_TOKEN_REVOKED", "CLOSE_BAD_MESSAGE", "CLOSE_SLOW_CLIENT"):
        assert getattr(session, name) == getattr(agent_contract, name)


def test_the_client_can_be_used_where_there_is_no_home_assistant(tmp_path: Path) -> None:
    # By itself: beside it there are modules like `calendar`.
    (tmp_path / "client").symlink_to(FOLDER)
    program = (
        "import sys; sys.modules['homeassistant'] = None;"
        f"sys.path.insert(0, {str(tmp_path)!r}); import client; print(client.CONTRACT_VERSION)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1"
