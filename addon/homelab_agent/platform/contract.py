"""The stream's messages: what `GET /api/v1/stream` says and hears.

The server greets, the client subscribes, the server sends a snapshot (or the changes missed
since `resume`) and then changes for as long as both sides live.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter

from homelab_agent.platform.model import Model

CONTRACT_VERSION = 1
CONTRACT_OLDEST = 1
"""The oldest contract version of a client that this agent still serves."""

CLOSE_SLOW_CLIENT = 4008
CLOSE_TOKEN_REVOKED = 4001
CLOSE_BAD_MESSAGE = 4002


class Hello(Model):
    """The first message of the server."""

    type: Literal["hello"] = "hello"
    contract: int
    oldest: int
    instance_id: str
    version: str
    epoch: str


class Resume(Model):
    """Where a client left off."""

    epoch: str
    seq: int


class Subscribe(Model):
    """The first and only message of the client. `kinds` None means all."""

    type: Literal["subscribe"] = "subscribe"
    kinds: tuple[str, ...] | None = None
    resume: Resume | None = None


class WireResource(Model):
    """One resource in a snapshot."""

    kind: str
    key: str
    data: dict[str, JsonValue]


class SnapshotMessage(Model):
    """Everything, as of `seq`; what the client knew before is to be forgotten."""

    type: Literal["snapshot"] = "snapshot"
    seq: int
    resources: tuple[WireResource, ...]


class WireChange(Model):
    """One resource set, or removed where `data` is null."""

    kind: str
    key: str
    data: dict[str, JsonValue] | None


class ChangesMessage(Model):
    """All changes of one tick, up to and including `seq`."""

    type: Literal["changes"] = "changes"
    seq: int
    changes: tuple[WireChange, ...]


ServerMessage = Annotated[Hello | SnapshotMessage | ChangesMessage, Field(discriminator="type")]
SERVER_MESSAGE: TypeAdapter[Hello | SnapshotMessage | ChangesMessage] = TypeAdapter(ServerMessage)


def stream_schema(kinds: dict[str, type[Model]]) -> dict[str, Any]:
    """Return the JSON Schema of both directions and of the data of every resource kind."""
    models: list[type[Model]] = [Hello, Subscribe, SnapshotMessage, ChangesMessage]
    return {
        "contract": CONTRACT_VERSION,
        "oldest": CONTRACT_OLDEST,
        "messages": {model.__name__: model.model_json_schema() for model in models},
        "kinds": {
            kind: model.model_json_schema(mode="serialization")
            for kind, model in sorted(kinds.items())
        },
    }
