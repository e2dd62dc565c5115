"""The messages of the stream."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message of the agent on a stream."""

    contract: int
    oldest: int
    instance_id: str
    version: str
    epoch: str
    type: str = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where a client left off."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """The only message of the client on a stream. `kinds` None means all."""

    kinds: tuple[str, ...] | None = None
    resume: Resume | None = None
    type: str = "subscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireResource:
    """One resource in a snapshot."""

    kind: str
    key: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMessage:
    """Everything, as of `seq`; what was known before is to be forgotten."""

    seq: int
    resources: tuple[WireResource, ...]
    type: str = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireChange:
    """One resource set, or removed where `data` is None."""

    kind: str
    key: str
    data: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesMessage:
    """All changes of one tick, up to and including `seq`."""

    seq: int
    changes: tuple[WireChange, ...]
    type: str = "changes"
