"""Which kinds of resources the agent has to take trouble over, because somebody listens."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from .client.kinds import KINDS, ON_DEMAND
from .subjects import PARTS

WANTED_AFTER_S: Final = 2.0
UNWANTED_AFTER_S: Final = 60.0
"""Longer than entities take to come back when the entry starts or is reloaded."""
LOOK_AROUND_EVERY_S: Final = 3600.0
LOOK_AROUND_FOR_S: Final = 120.0
"""Long enough for the agent's first figures, and for what is gone to be removed after them."""

_COME_AND_GO: Final = ON_DEMAND & {kind.name for kind in PARTS}
"""Kinds whose resources have entities of their own, as a disk that is plugged in."""


class Demand:
    """Counts who listens to kinds that cost the agent something, and asks for those alone.

    In the beginning everything is asked for, so that entities which are on need no second start.
    Now and then what comes and goes is asked for as well: what nobody asks for cannot be new.
    """

    def __init__(self, hass: HomeAssistant, follow: Callable[[frozenset[str]], None]) -> None:
        self._hass = hass
        self._follow = follow
        self._listeners: Counter[str] = Counter()
        self._followed = ON_DEMAND
        self._timer: CALLBACK_TYPE | None = None

    @callback
    def begin(self) -> None:
        """Look for the first time at what nobody wants."""
        self._review_in(UNWANTED_AFTER_S)

    @callback
    def listens(self, kind: str) -> None:
        """Note one more listener to a kind."""
        if kind not in ON_DEMAND:
            return
        self._listeners[kind] += 1
        if kind not in self._followed:
            self._review_in(WANTED_AFTER_S)

    @callback
    def leaves(self, kind: str) -> None:
        """Note one listener less."""
        if kind not in ON_DEMAND:
            return
        self._listeners[kind] -= 1
        if not self._listeners[kind]:
            self._review_in(UNWANTED_AFTER_S)

    @callback
    def cancel(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer()
            self._timer = None

    def _review_in(self, seconds: float) -> None:
        self._call_in(seconds, self._review)

    def _call_in(self, seconds: float, look: Callable[[datetime], None]) -> None:
        self.cancel()
        self._timer = async_call_later(self._hass, seconds, look)

    @callback
    def _review(self, _now: datetime) -> None:
        self._ask_for(frozenset(kind for kind in ON_DEMAND if self._listeners[kind]))
        if not self._followed >= _COME_AND_GO:
            self._call_in(LOOK_AROUND_EVERY_S, self._look_around)

    @callback
    def _look_around(self, _now: datetime) -> None:
        self._ask_for(self._followed | _COME_AND_GO)
        self._review_in(LOOK_AROUND_FOR_S)

    def _ask_for(self, wanted: frozenset[str]) -> None:
        self._timer = None
        if wanted != self._followed:
            self._followed = wanted
            always = {kind.name for kind in KINDS if not kind.on_demand}
            self._follow(wanted | always)
