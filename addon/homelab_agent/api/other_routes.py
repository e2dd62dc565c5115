"""The routes that answer no model: declared here, handled by the server."""

from dataclasses import dataclass

from homelab_agent.platform.commands import Declaration, Operation, Scope
from homelab_agent.platform.model import Model

BASE_PATH = "/api/v1"


class Granted(Model):
    """What the gate returns for these routes: they may go on."""


@dataclass(frozen=True, slots=True)
class OtherRoute:
    """A GET whose answer is of `media_type`; None for a WebSocket."""

    operation: Operation
    media_type: str | None

    @property
    def path(self) -> str:
        """Where it is."""
        return self.operation.declaration.path


async def grant() -> Model:
    """Say that the gate let the caller through."""
    return Granted()


def _declare(name: str, path: str, summary: str, media_type: str | None) -> OtherRoute:
    declaration = Declaration(
        name=name,
        method="GET",
        path=path,
        scope=Scope.READ,
        changes=False,
        idempotent=True,
        target=None,
        dangerous=False,
    )
    operation = Operation(
        declaration=declaration,
        summary=summary,
        handler=grant,
        takes_caller=False,
        path_parameters=(),
        query=None,
        body=None,
        result=Granted,
    )
    return OtherRoute(operation, media_type)


OPENAPI = _declare(
    "agent.openapi", f"{BASE_PATH}/openapi.json", "Describe this API.", "application/json"
)
STREAM = _declare(
    "agent.stream",
    f"{BASE_PATH}/stream",
    "Tell every change as it happens, over a WebSocket; stream.schema.json has its messages.",
    None,
)
METRICS = _declare(
    "agent.metrics", "/metrics", "Give the agent's own numbers to Prometheus.", "text/plain"
)
OTHER_ROUTES = (METRICS, OPENAPI, STREAM)
