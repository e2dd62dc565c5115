"""How many requests there were and how long each took, by route."""

from time import perf_counter

from aiohttp import web

from homelab_agent.api.middleware import Handler
from homelab_agent.platform.metrics import Metrics

_BUCKETS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)
_NO_ROUTE = "none"


class RequestMetrics:
    """Counts requests; routes and not paths, so that nobody can invent labels."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds = metrics.histogram(
            "request_seconds",
            "Requests and how long they took",
            "method",
            "route",
            "status",
            buckets=_BUCKETS_S,
        )

    @web.middleware
    async def measure(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count one request; stands outside of everything else."""
        began = perf_counter()
        response = await handler(request)
        resource = request.match_info.route.resource
        if not isinstance(response, web.WebSocketResponse):
            route = resource.canonical if resource else _NO_ROUTE
            method = request.method if resource else _NO_ROUTE
            taken = self._seconds.labels(method, route, str(response.status))
            taken.observe(perf_counter() - began)
        return response
