"""The stream's messages as bytes. Each change is serialised once, however many listen."""

import json
from collections.abc import Iterable

from homelab_agent.platform.resources import Change, Snapshot

KEPT_CHANGES = 512


class StreamMessages:
    """Puts changes and snapshots together from parts that are already JSON."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}

    def start(self, start: Snapshot | tuple[Change, ...], seq: int) -> bytes:
        """Return a subscription's first message. `seq` is where a client without misses stands."""
        if isinstance(start, Snapshot):
            resources = (_part(change) for change in start.resources)
            return _joined(b"snapshot", start.seq, b"resources", resources)
        return self._message(start[-1].seq if start else seq, start)

    def changes(self, batch: tuple[Change, ...]) -> bytes:
        """Return the message of one batch."""
        return self._message(batch[-1].seq, batch)

    def _message(self, seq: int, batch: Iterable[Change]) -> bytes:
        return _joined(b"changes", seq, b"changes", (self._kept_part(each) for each in batch))

    def _kept_part(self, change: Change) -> bytes:
        part = self._parts.get(change.seq)
        if part is None:
            part = self._parts[change.seq] = _part(change)
            if len(self._parts) > KEPT_CHANGES:
                del self._parts[next(iter(self._parts))]
        return part


def _part(change: Change) -> bytes:
    data = "null" if change.data is None else change.data.model_dump_json()
    return (
        f'{{"kind":{json.dumps(change.kind)},"key":{json.dumps(change.key)},"data":{data}}}'
    ).encode()


def _joined(name: bytes, seq: int, member: bytes, parts: Iterable[bytes]) -> bytes:
    return b'{"type":"%b","seq":%d,"%b":[%b]}' % (name, seq, member, b",".join(parts))
