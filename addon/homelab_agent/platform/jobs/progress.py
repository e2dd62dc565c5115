"""How code deep inside a step tells how far it is, without being handed anything."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

type Listener = Callable[[float | None, str | None], None]

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


def report(fraction: float | None, message: str | None = None) -> None:
    """Tell how much (0..1) of the running step is done; None where that cannot be known.

    Outside of a job nobody listens and nothing happens.
    """
    listener = _listener.get()
    if listener:
        listener(None if fraction is None else min(max(fraction, 0.0), 1.0), message)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hand every report from inside, and from tasks begun inside, to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Throttle:
    """Calls `publish` at most once in `interval_s`: the first time at once, the last one surely."""

    def __init__(self, publish: Callable[[], None], interval_s: float) -> None:
        self._publish = publish
        self._interval_s = interval_s
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = False
        self._closed = False

    def touch(self) -> None:
        """Say that there is something new."""
        if self._timer:
            self._waiting = True
        elif not self._closed:
            self._fire()

    def close(self) -> None:
        """Publish nothing any more, whoever still reports."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._waiting = False
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._expire)
        self._publish()

    def _expire(self) -> None:
        self._timer = None
        if self._waiting:
            self._fire()
