"""The routes of names that follow an address."""

from homelab_agent.areas.ddns.models import (
    DYNAMIC_ADDRESS_KIND,
    DynamicAddress,
    DynamicAddressBody,
    DynamicAddressList,
)
from homelab_agent.areas.ddns.service import DynamicAddressService
from homelab_agent.platform.commands import Caller, Outcome, Scope, command, query
from homelab_agent.platform.jobs.models import CommandResult


class DynamicAddressRoutes:
    """Names that follow this network's address, or that of an interface."""

    def __init__(self, service: DynamicAddressService) -> None:
        self._service = service

    @query("dynamic_addresses.list", "/dynamic-addresses")
    async def list(self) -> DynamicAddressList:
        """List the names that follow an address, and how they are."""
        return await self._service.list()

    @command(
        "dynamic_addresses.add",
        "POST",
        "/dynamic-addresses",
        scope=Scope.OPERATE,
        idempotent=True,
        dangerous=False,
    )
    async def add(self, caller: Caller, body: DynamicAddressBody) -> DynamicAddress:
        """Have a name follow an address from now on, or in another way than before."""
        return await self._service.add(body, caller.name, admin=caller.scope.includes(Scope.ADMIN))

    @command(
        "dynamic_addresses.remove",
        "DELETE",
        "/dynamic-addresses/{name}",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DYNAMIC_ADDRESS_KIND,
        dangerous=False,
    )
    async def remove(self, name: str) -> CommandResult:
        """Have a name follow no more; its records stay as they are."""
        await self._service.remove(name)
        return CommandResult(
            outcome=Outcome.DONE, message=f"{name} follows no address any more; its records stay."
        )

    @command(
        "dynamic_addresses.update",
        "POST",
        "/dynamic-addresses/{name}/update",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DYNAMIC_ADDRESS_KIND,
        dangerous=False,
    )
    async def update(self, name: str) -> DynamicAddress:
        """Look at a name now, and write it where it has to be and its provider's pauses allow."""
        return await self._service.update(name)

    @command(
        "dynamic_addresses.pause",
        "POST",
        "/dynamic-addresses/{name}/pause",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DYNAMIC_ADDRESS_KIND,
        dangerous=False,
    )
    async def pause(self, name: str) -> CommandResult:
        """Leave a name as it is until it is resumed."""
        if not await self._service.pause(name):
            return CommandResult(outcome=Outcome.NOT_NEEDED, message=f"{name} is paused already.")
        return CommandResult(outcome=Outcome.DONE, message=f"{name} is paused.")

    @command(
        "dynamic_addresses.resume",
        "POST",
        "/dynamic-addresses/{name}/resume",
        scope=Scope.OPERATE,
        idempotent=True,
        target=DYNAMIC_ADDRESS_KIND,
        dangerous=False,
    )
    async def resume(self, name: str) -> CommandResult:
        """Let a name follow its address again."""
        if not await self._service.resume(name):
            return CommandResult(outcome=Outcome.NOT_NEEDED, message=f"{name} is not paused.")
        return CommandResult(outcome=Outcome.DONE, message=f"{name} follows its address again.")
