"""What an agent can be asked and told about names that follow an address."""

from .models import CommandResult, DynamicAddress, DynamicAddressBody, DynamicAddressList
from .parse import reader
from .requests import Requests

UPDATE_TIMEOUT_S = 60.0

_ADDRESS = reader(DynamicAddress)
_ADDRESSES = reader(DynamicAddressList)


class DynamicAddressesApi:
    """The dynamic addresses of one agent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def list(self) -> tuple[DynamicAddress, ...]:
        """Return all names that follow an address."""
        return (await self._requests.get(_ADDRESSES, "dynamic-addresses")).addresses

    async def add(self, body: DynamicAddressBody) -> DynamicAddress:
        """Let a name follow an address from now on, or in another way than before."""
        return await self._requests.post(
            _ADDRESS, "dynamic-addresses", body=body, timeout_s=UPDATE_TIMEOUT_S
        )

    async def remove(self, name: str) -> CommandResult:
        """Let a name follow no longer; its records stay as they are."""
        return await self._requests.command(
            "dynamic-addresses", name, body=None, wait_s=0, method="DELETE"
        )

    async def update(self, name: str) -> DynamicAddress:
        """Look at the address now, and write it where it changed."""
        return await self._requests.post(
            _ADDRESS, "dynamic-addresses", name, "update", body=None, timeout_s=UPDATE_TIMEOUT_S
        )

    async def pause(self, name: str) -> CommandResult:
        """Leave a name as it is until it is resumed."""
        return await self._requests.command("dynamic-addresses", name, "pause", body=None, wait_s=0)

    async def resume(self, name: str) -> CommandResult:
        """Let a name follow its address again."""
        return await self._requests.command(
            "dynamic-addresses", name, "resume", body=None, wait_s=0
        )
