"""Refusals of callers who may not do what they ask: many of the same are one entry that counts.

Who may do nothing else can still ask fifty times a second, and is not to fill the record with it.
"""

from dataclasses import dataclass

from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import Steady, steady_s
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import AgentError

TOLD_ANEW_AFTER_S = 600.0
"""What is refused for longer than that begins a new entry."""


@dataclass(slots=True)
class _Refusal:
    since_s: float
    entry_id: int | None = None
    times: int = 0
    written: int = 0
    is_being_written: bool = False


class Refusals:
    """Keeps one entry for each caller, action and reason, whatever the targets are."""

    def __init__(self, audit: Audit, *, steady: Steady = steady_s) -> None:
        self._audit = audit
        self._steady = steady
        # As many as there are tokens and operations, at the most.
        self._latest: dict[tuple[str, str, str], _Refusal] = {}

    async def note(self, caller: str, action: str, target: str | None, error: AgentError) -> None:
        """Write down that a caller was refused, or that it happened once more.

        Raises:
            Unavailable: it cannot be written now; it is counted in what is written next.
        """
        refusal = self._refusal((caller, action, error.code))
        refusal.times += 1
        if refusal.is_being_written:
            return  # by whoever was refused before, who looks again
        refusal.is_being_written = True
        try:
            while refusal.written < refusal.times:
                await self._write(refusal, caller, action, target, error)
        finally:
            refusal.is_being_written = False

    async def _write(
        self, refusal: _Refusal, caller: str, action: str, target: str | None, error: AgentError
    ) -> None:
        if refusal.entry_id is None:
            refusal.entry_id = await self._audit.record(
                caller=caller,
                action=action,
                target=target,
                outcome=Outcome.REFUSED,
                code=error.code,
                message=error.message,
            )
            refusal.written = 1
            return
        times = refusal.times
        await self._audit.count(refusal.entry_id, error.message, times, target)
        refusal.written = times

    def _refusal(self, key: tuple[str, str, str]) -> _Refusal:
        now_s = self._steady()
        known = self._latest.get(key)
        if known is not None and now_s - known.since_s < TOLD_ANEW_AFTER_S:
            return known
        self._latest = {
            other: each
            for other, each in self._latest.items()
            if now_s - each.since_s < TOLD_ANEW_AFTER_S
        }
        new = self._latest[key] = _Refusal(now_s)
        return new
