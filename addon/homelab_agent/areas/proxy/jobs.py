"""Changing a route as a job: written, then seen to be served; else everything is as before."""

from homelab_agent.areas.proxy.models import PreparedRoute
from homelab_agent.areas.proxy.service import ProxyService
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult

PUT = "proxy.put"
REMOVE = "proxy.remove"
SERVED_S = 30.0


class RouteJobs:
    """The two kinds of jobs. Both stand being repeated, so after a crash they go on."""

    def __init__(self, service: ProxyService) -> None:
        self._service = service

    def kinds(self) -> tuple[JobKind[PreparedRoute], ...]:
        """Return both kinds."""
        write = Step("write", self._write, self._write_back)
        return (
            JobKind(PUT, PreparedRoute, (write, Step("verify", self._verify)), Recovery.GO_ON),
            JobKind(REMOVE, PreparedRoute, (write,), Recovery.GO_ON),
        )

    async def _write(self, context: StepContext[PreparedRoute]) -> StepResult:
        prepared = context.arguments
        changed = await self._service.put(prepared)
        if not changed:
            return StepResult(needed=False, message=f"{prepared.host} is so already.")
        what = "is in Caddy" if prepared.after else "was removed"
        return StepResult(message=f"The route of {prepared.host} {what}.")

    async def _write_back(self, context: StepContext[PreparedRoute]) -> None:
        await self._service.put_back(context.arguments)

    async def _verify(self, context: StepContext[PreparedRoute]) -> StepResult:
        host = context.arguments.host
        await self._service.wait_until_served(host, within_s=SERVED_S)
        # Looking changes nothing: whether the job was needed is the first step's to say.
        return StepResult(needed=False, message=f"Caddy serves {host}.")


def job_target(host: str) -> str:
    """Return what a job about a route holds."""
    return f"proxy:{host}"
