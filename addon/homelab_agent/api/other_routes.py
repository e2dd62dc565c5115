"""The routes that answer no model: described here, handled by the server."""

from dataclasses import dataclass

from homelab_agent.platform.commands import Scope

BASE_PATH = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRoute:
    """A GET whose answer is of `media_type`; None for a WebSocket."""

    name: str
    path: str
    summary: str
    media_type: str | None
    scope: Scope = Scope.READ


OPENAPI = OtherRoute(
    name="openapi",
    path=f"{BASE_PATH}/openapi.json",
    summary="Describe this API.",
    media_type="application/json",
)
STREAM = OtherRoute(
    name="stream",
    path=f"{BASE_PATH}/stream",
    summary="Tell every change as it happens, over a WebSocket; stream.schema.json has its messages.",
    media_type=None,
)
METRICS = OtherRoute(
    name="metrics",
    path="/metrics",
    summary="Give the agent's own numbers to Prometheus.",
    media_type="text/plain",
)
OTHER_ROUTES = (METRICS, OPENAPI, STREAM)
