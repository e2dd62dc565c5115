"""A container: it runs, and is healthy where it has a health check."""

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.monitors.check_settings import CheckType, ContainerCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.failures import down, unknown
from homelab_agent.platform.engine.models import ContainerHealth, ContainerState
from homelab_agent.platform.errors import Denied, NotFound, Unavailable


class ContainerCheck:
    """Looks at what the agent knows of a container anyway. There is no response time."""

    type = CheckType.CONTAINER

    def __init__(self, containers: ContainerService) -> None:
        self._containers = containers

    async def run(
        self,
        settings: ContainerCheckSettings,
        timeout_s: float,  # noqa: ARG002 - nothing is waited for
        *,
        allow_guarded: bool,  # noqa: ARG002 - nothing is connected to
    ) -> CheckOutcome:
        """See `Check.run`."""
        try:
            container = self._containers.get(settings.container)
        except NotFound:
            return down(
                CheckCode.NO_CONTAINER, f"There is no container {settings.container} on this host."
            )
        except Unavailable as error:
            return unknown(CheckCode.ENGINE_AWAY, error.message)
        except Denied as error:
            return unknown(CheckCode.NOT_PERMITTED, error.message)
        return _judge(container)

    def target(self, settings: ContainerCheckSettings) -> str:
        """Return the container's key."""
        return settings.container


def _judge(container: Container) -> CheckOutcome:
    if container.state is not ContainerState.RUNNING:
        code = "" if container.exit_code is None else f" (exit code {container.exit_code})"
        return down(
            CheckCode.NOT_RUNNING,
            f"{container.name} does not run: it is {container.state.value}{code}.",
        )
    if container.health is ContainerHealth.UNHEALTHY:
        return down(CheckCode.UNHEALTHY, f"{container.name} runs, but its health check fails.")
    if container.health is ContainerHealth.STARTING:
        return unknown(
            CheckCode.NOT_READY, f"{container.name} has started; its health is not known yet."
        )
    return CheckOutcome(ok=True)
