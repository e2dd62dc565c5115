"""Changes at a provider that takes only one at a time."""

from collections.abc import Awaitable, Callable, Sequence

from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
    ZoneChanged,
)

type Step = Callable[[], Awaitable[object]]

_NOTHING_DONE = (ProviderAway, ProviderBusy, ProviderRefused, WrongCredentials, ZoneChanged)


async def one_by_one(steps: Sequence[Step]) -> None:
    """Take the steps in order.

    Raises:
        ApplyUncertain: one was refused after others were done; its cause says why.
    """
    for number, step in enumerate(steps):
        try:
            await step()
        except _NOTHING_DONE as error:
            if not number:
                raise
            raise ApplyUncertain(
                f"{number} of {len(steps)} changes were made, and then: {error.message}",
                hint=error.hint,
                retry_after_s=error.retry_after_s,
            ) from error
