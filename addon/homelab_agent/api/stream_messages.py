"""The stream's messages as bytes. Each change is serialised once, however many listen."""

import json
from collections.abc import Iterable

from homelab_agent.platform.resources import Change, Snapshot

KEPT_CHANGES = 512


class StreamMessages:
    """Puts changes and snapshots together from parts that are already JSON."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}

    def start(
        self, start: Snapshot | tuple[Change, ...], seq: int, kinds: frozenset[str] | None
    ) -> bytes:
        """Return a subscription's first message. `seq` is where a client without misses stands."""
        if not isinstance(start, Snapshot):
            return self._message(b"changes", start[-1].seq if start else seq, start, kinds)
        resources = (_part(change) for change in start.resources if _wanted(change, kinds))
        return _joined(b"snapshot", start.seq, b"resources", resources)

    def changes(self, batch: tuple[Change, ...], kinds: frozenset[str] | None) -> bytes | None:
        """Return the message of one batch, None where nothing in it is wanted."""
        if not any(_wanted(change, kinds) for change in batch):
            return None
        return self._message(b"changes", batch[-1].seq, batch, kinds)

    def _message(
        self, name: bytes, seq: int, batch: Iterable[Change], kinds: frozenset[str] | None
    ) -> bytes:
        parts = (self._kept_part(change) for change in batch if _wanted(change, kinds))
        return _joined(name, seq, b"changes", parts)

    def _kept_part(self, change: Change) -> bytes:
        part = self._parts.get(change.seq)
        if part is None:
            part = self._parts[change.seq] = _part(change)
            if len(self._parts) > KEPT_CHANGES:
                del self._parts[next(iter(self._parts))]
        return part


def _wanted(change: Change, kinds: frozenset[str] | None) -> bool:
    return kinds is None or change.kind in kinds


def _part(change: Change) -> bytes:
    data = "null" if change.data is None else change.data.model_dump_json()
    return (
        f'{{"kind":{json.dumps(change.kind)},"key":{json.dumps(change.key)},"data":{data}}}'
    ).encode()


def _joined(name: bytes, seq: int, member: bytes, parts: Iterable[bytes]) -> bytes:
    return b'{"type":"%b","seq":%d,"%b":[%b]}' % (name, seq, member, b",".join(parts))
