"""What providers share to whom addresses are records like all others, and who keep nothing open."""

from homelab_agent.areas.dns.providers.errors import NotOffered
from homelab_agent.areas.dns.providers.interface import AddressOutcome


class RecordsOnly:
    """The part of a `Provider` that is about dynamic DNS: not offered."""

    @property
    def sets_addresses(self) -> bool:
        """See `Provider.sets_addresses`."""
        return False

    async def set_addresses(
        self,
        name: str,
        ipv4: str | None,  # noqa: ARG002 - it is not offered
        ipv6: str | None,  # noqa: ARG002
    ) -> AddressOutcome:
        """See `Provider.set_addresses`."""
        raise NotOffered(
            f"{name}: this provider has addresses as records, and knows no dynamic DNS",
            field="name",
            hint="Change its A and AAAA records.",
        )

    async def close(self) -> None:
        """See `Provider.close`."""
