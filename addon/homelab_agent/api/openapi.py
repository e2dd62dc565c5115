"""The API's description, OpenAPI 3.1, made from the declarations and the models."""

from collections.abc import Iterable
from itertools import groupby

from pydantic import JsonValue
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from homelab_agent import __version__
from homelab_agent.api.other_routes import OTHER_ROUTES, OtherRoute
from homelab_agent.api.problems import PROBLEM_TYPE, Problem, wire_errors
from homelab_agent.platform.commands import Operation, Scope
from homelab_agent.platform.contract import CONTRACT_VERSION
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.model import Model

type Json = dict[str, JsonValue]

_SCHEMAS = "#/components/schemas/"
_TEMPLATE = _SCHEMAS + "{model}"

_ALWAYS = (422, 429, 500)
_WITH_TOKEN = (401, 403, 503)
_WITH_BODY = (400, 413)
_CHANGES = (409, 502, 504)


def openapi_document(operations: Iterable[Operation], base_path: str) -> Json:
    """Return the description of all operations; the same input gives the same document."""
    operations = sorted(operations, key=lambda operation: operation.name)
    schemas = _schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        path = base_path + operation.declaration.path
        method = operation.declaration.method.lower()
        paths.setdefault(path, {})[method] = _operation(operation, schemas)
    for route in OTHER_ROUTES:
        paths.setdefault(route.path, {})["get"] = _other(route)
    for operation in operations:
        if operation.query is not None:
            schemas.pop(operation.query.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homelab agent",
            "version": __version__,
            "description": "Sees, explains and operates one Docker host.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "x-contract": CONTRACT_VERSION,
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "securitySchemes": {"token": _TOKEN},
            "responses": _problem_responses(),
            "schemas": {name: schemas[name] for name in sorted(schemas)},
        },
    }


_TOKEN: Json = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token made with: homelab-agent token create --name NAME --scope "
    + "|".join(Scope),
}


def _schemas(operations: Iterable[Operation]) -> dict[str, JsonValue]:
    wanted: list[tuple[type[Model], JsonSchemaMode]] = [(Problem, "serialization")]
    for operation in operations:
        wanted.append((operation.result, "serialization"))
        wanted.extend((m, "validation") for m in (operation.query, operation.body) if m)
    _, definitions = models_json_schema(
        tuple(dict.fromkeys(wanted)), ref_template=_TEMPLATE, schema_generator=_Plain
    )
    found: dict[str, JsonValue] = definitions["$defs"]
    return found


class _Plain(GenerateJsonSchema):
    """Leaves out the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's signature
        return False


def _operation(operation: Operation, schemas: dict[str, JsonValue]) -> Json:
    declaration = operation.declaration
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, schemas)],
        "responses": _responses(operation),
        "x-scope": declaration.scope,
        "x-changes": declaration.changes,
        "x-idempotent": declaration.idempotent,
    }
    if declaration.scope is None:
        described["security"] = []
    if declaration.changes:
        described["x-dangerous"] = declaration.dangerous
        described["x-target"] = declaration.target
    if operation.body is not None:
        described["requestBody"] = {
            "required": _is_required(operation.body),
            "content": {"application/json": {"schema": _reference(operation.body)}},
        }
    return described


def _other(route: OtherRoute) -> Json:
    success: Json = {"101": {"description": "The WebSocket is open."}}
    if route.media_type:
        content: JsonValue = {route.media_type: {}}
        success = {"200": {"description": "The answer.", "content": content}}
    return {
        "operationId": route.operation.name,
        "summary": route.operation.summary,
        "tags": ["agent"],
        "responses": success | _problems({400, *_ALWAYS, *_WITH_TOKEN}),
        "x-scope": route.operation.declaration.scope,
        "x-changes": False,
        "x-idempotent": True,
    }


def _path_parameters(operation: Operation) -> list[JsonValue]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in operation.path_parameters
    ]


def _query_parameters(operation: Operation, schemas: dict[str, JsonValue]) -> list[JsonValue]:
    if operation.query is None:
        return []
    schema = schemas[operation.query.__name__]
    if not isinstance(schema, dict):
        raise TypeError(f"{operation.query.__name__} has no schema")
    properties = schema.get("properties")
    return [
        {
            "name": name,
            "in": "query",
            "required": operation.query.model_fields[name].is_required(),
            "schema": value,
        }
        for name, value in (properties.items() if isinstance(properties, dict) else ())
    ]


def _responses(operation: Operation) -> Json:
    declaration = operation.declaration
    content: Json = {"application/json": {"schema": _reference(operation.result)}}
    texts: Json = {kind: {"schema": {"type": "string"}} for kind in declaration.documents}
    responses: Json = {"200": {"description": "The answer.", "content": content | texts}}
    if declaration.is_feed:
        told = "The WebSocket is open; each of its messages is of this kind."
        responses = {"101": {"description": told, "content": content}}
    if issubclass(operation.result, CommandResult):
        responses["202"] = {"description": "It still runs; `job` names it.", "content": content}
    statuses = set(_ALWAYS)
    if declaration.scope is not None:
        statuses.update(_WITH_TOKEN)
    if operation.path_parameters:
        statuses.add(404)
    if declaration.method != "GET":
        statuses.update(_WITH_BODY)
    if declaration.changes:
        statuses.update(_CHANGES)
    return responses | _problems(statuses)


def _problems(statuses: set[int]) -> Json:
    known: Json = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in sorted(statuses)
    }
    return known | {"default": {"$ref": "#/components/responses/Problem"}}


def _problem_responses() -> Json:
    content: JsonValue = {PROBLEM_TYPE: {"schema": _reference(Problem)}}
    responses: Json = {"Problem": {"description": "Any other problem.", "content": content}}
    errors = sorted(wire_errors(), key=lambda error: (error.status, error.code))
    for status, group in groupby(errors, key=lambda error: error.status):
        same = list(group)
        responses[f"Problem{status}"] = {
            "description": " ".join(f"`{error.code}`: {_first_line(error)}" for error in same),
            "content": content,
            "x-codes": [error.code for error in same],
        }
    return responses


def _first_line(error: type[Exception]) -> str:
    return (error.__doc__ or "").partition("\n")[0]


def _reference(model: type[Model]) -> Json:
    return {"$ref": _SCHEMAS + model.__name__}


def _is_required(body: type[Model]) -> bool:
    return any(field.is_required() for field in body.model_fields.values())
