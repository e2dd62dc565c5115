"""The engine as a resource: whether it can be reached, since when, and what it lets us do."""

from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.models import (
    ENGINE_KEY,
    ENGINE_KIND,
    EngineConnection,
    EngineStatus,
)
from homelab_agent.platform.clock import Clock
from homelab_agent.platform.engine.models import EngineInfo, EngineRight
from homelab_agent.platform.errors import AgentError, Denied, Unavailable
from homelab_agent.platform.resources import Resources

_NOT_YET = "Docker was not reached yet."


class EngineState:
    """Publishes `EngineStatus` and refuses what needs an engine that is away."""

    def __init__(self, resources: Resources, inventory: Inventory, clock: Clock) -> None:
        self._resources = resources
        self._inventory = inventory
        self._clock = clock
        self._hint: str | None = None
        self._status = EngineStatus(
            connection=EngineConnection.UNAVAILABLE, since=clock(), reason=_NOT_YET
        )
        self._publish(self._status)

    @property
    def status(self) -> EngineStatus:
        """What is published right now."""
        return self._status

    def connected(self, info: EngineInfo, missing: frozenset[EngineRight]) -> None:
        """Say that the engine answers and that the containers are those it has now."""
        same = self._status.connection is EngineConnection.CONNECTED
        readable = EngineRight.CONTAINERS_READ not in missing
        self._publish(
            EngineStatus(
                connection=EngineConnection.CONNECTED,
                since=self._status.since if same else self._clock(),
                reason=None,
                missing_rights=tuple(sorted(missing)),
                counts=self._inventory.counts() if readable else None,
                **dict(info),
            )
        )

    def unavailable(self, error: AgentError) -> None:
        """Say that the engine is away; what is known of the containers is then old."""
        away = self._status.connection is EngineConnection.UNAVAILABLE
        self._hint = error.hint
        self._publish(
            self._status.model_copy(
                update={
                    "connection": EngineConnection.UNAVAILABLE,
                    "since": self._status.since if away else self._clock(),
                    "reason": error.message,
                    "reason_code": str(error.extra.get("cause", error.code)),
                    "counts": None,
                }
            )
        )

    def count(self) -> None:
        """Publish the counts anew."""
        if self._status.counts is not None:
            self._publish(self._status.model_copy(update={"counts": self._inventory.counts()}))

    def require(self, right: EngineRight | None = None) -> None:
        """Raise `Unavailable` while the engine is away, `Denied` where `right` is missing."""
        status = self._status
        if status.connection is EngineConnection.UNAVAILABLE:
            raise Unavailable(
                status.reason or _NOT_YET,
                hint=self._hint,
                extra={"since": status.since.isoformat()},
            )
        if right in status.missing_rights:
            raise Denied(
                f"Docker's socket proxy does not let the agent do this: "
                f"the right {right} is missing.",
                hint="Allow it in the proxy; the agent notices within minutes.",
                extra={"right": right},
            )

    def dated(self, error: Unavailable) -> Unavailable:
        """Return the engine's error with since when it is away: since now where that is news."""
        away = self._status.connection is EngineConnection.UNAVAILABLE
        since = self._status.since if away else self._clock()
        return Unavailable(
            error.message,
            field=error.field,
            hint=error.hint,
            retry_after_s=error.retry_after_s,
            extra={"since": since.isoformat(), **error.extra},
        )

    def _publish(self, status: EngineStatus) -> None:
        self._status = status
        self._resources.publish(ENGINE_KIND, ENGINE_KEY, status)
