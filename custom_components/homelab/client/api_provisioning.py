"""What an agent can be told to put at a name with HTTPS, and to take back."""

from .models import (
    CommandResult,
    DeprovisionBody,
    Provisioned,
    ProvisionPlan,
    ProvisionPlanBody,
    StartBody,
)
from .parse import reader
from .requests import Requests

PLAN_TIMEOUT_S = 60.0

_PLAN = reader(ProvisionPlan)
_PROVISIONED = reader(Provisioned)


class ProvisioningApi:
    """From a container to HTTPS, at one agent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def plan(self, body: ProvisionPlanBody) -> ProvisionPlan:
        """Return what provisioning would do; nothing is changed."""
        return await self._requests.post(
            _PLAN, "provisioning", "plan", body=body, timeout_s=PLAN_TIMEOUT_S
        )

    async def start(self, body: StartBody) -> CommandResult:
        """Put something at a name with HTTPS, or leave everything as it was."""
        return await self._requests.command(
            "provisioning", body=body, wait_s=body.wait_s, besides_s=PLAN_TIMEOUT_S
        )

    async def get(self, name: str) -> Provisioned:
        """Return what a domain is made of."""
        return await self._requests.get(_PROVISIONED, "provisioning", name)

    async def take_back(self, name: str, body: DeprovisionBody) -> CommandResult:
        """Take a domain back."""
        return await self._requests.command(
            "provisioning",
            name,
            "remove",
            body=body,
            wait_s=body.wait_s,
            besides_s=PLAN_TIMEOUT_S,
        )
