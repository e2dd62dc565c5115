"""Trying a route with `caddy validate` before Caddy is told of it, wherever a Caddy is at hand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from homelab_agent.areas.proxy.caddy_errors import CaddyRefuses
from homelab_agent.areas.proxy.kept import PlacedRoute

VALIDATE = ("validate", "--config", "-")
"""The configuration comes by the standard input: arguments are there for everybody to see."""

KEEP_BYTES = 256 * 1024

_LONGEST_SAID = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How `caddy validate` ended. `code` None: it could not be run, and `said` is why."""

    code: int | None
    said: str


class Trial(Protocol):
    """A Caddy that tells what it thinks of a configuration."""

    async def validate(self, text: bytes) -> Verdict:
        """Have it look at a configuration, which it does not use."""


@dataclass(frozen=True, slots=True)
class Tried:
    """Whether routes were tried, and stood it; `why_not` they were not."""

    validated: bool
    why_not: str | None = None


class DryRun:
    """Tries the agent's own parts only, at the first of some places where that can be done.

    `caddy validate` makes every module of the configuration, but listens nowhere and orders
    nothing.
    """

    def __init__(self, *trials: Trial) -> None:
        self._trials = trials

    async def try_routes(self, routes: Sequence[PlacedRoute]) -> Tried:
        """Return whether they could be tried, and stood it.

        Raises:
            CaddyRefuses: Caddy does not take them, in its own words.
            TimedOut: it did not come to an end.
        """
        if not routes:
            return Tried(False)
        text, reasons = json.dumps(_minimal(routes)).encode(), []
        for trial in self._trials:
            verdict = await trial.validate(text)
            if verdict.code == 0:
                return Tried(True)
            if verdict.code is not None:
                raise CaddyRefuses(f"Caddy does not take this route: {_last_error(verdict.said)}")
            reasons.append(verdict.said)
        return Tried(False, " ".join(reasons))


def _minimal(routes: Sequence[PlacedRoute]) -> JsonValue:
    servers: dict[str, JsonValue] = {
        each.server: {
            "listen": [each.listen or ":443"],
            "routes": [each.route],
            "automatic_https": {"disable": True},
        }
        for each in routes
    }
    return {"admin": {"disabled": True}, "apps": {"http": {"servers": servers}}}


def _last_error(said: str) -> str:
    """Return the last line of what Caddy said: the reason."""
    lines = [each for each in said.splitlines() if each.strip()]
    return lines[-1].removeprefix("Error: ")[:_LONGEST_SAID] if lines else "it said nothing more"
