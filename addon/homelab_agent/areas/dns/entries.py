"""One provider that was set up: as it is kept, as it is open, and what is shown of it."""

from dataclasses import dataclass
from datetime import datetime

from homelab_agent.areas.dns.models import (
    Capabilities,
    DnsProvider,
    ProviderState,
    ProviderType,
)
from homelab_agent.areas.dns.provider_secrets import KeptSettings
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.model import Model


class KeptProvider(Model):
    """A provider as it is kept. `capabilities`: for when its secret cannot be opened."""

    name: str
    type: ProviderType
    name_servers: tuple[str, ...]
    settings: KeptSettings
    capabilities: Capabilities
    zones: tuple[str, ...] = ()
    state: ProviderState = ProviderState.UNKNOWN
    reason: str | None = None
    checked_at: datetime | None = None
    set_up_at: datetime | None = None


@dataclass(slots=True)
class Entry:
    """One provider. `opened` None: it cannot be asked, and its reason says why.

    `free_s`: until then, by the loop's clock, it wants to be left alone.
    """

    key: str
    kept: KeptProvider
    opened: Provider | None
    free_s: float = 0.0

    @property
    def shown(self) -> DnsProvider:
        """What everybody may see of it."""
        kept = self.kept
        return DnsProvider(
            key=self.key,
            name=kept.name,
            type=kept.type,
            zones=kept.zones,
            name_servers=kept.name_servers,
            settings={name: value for name, value in kept.settings.shown.items() if name != "type"},
            capabilities=kept.capabilities,
            state=kept.state,
            reason=kept.reason,
            checked_at=kept.checked_at,
        )


def unopened(key: str, kept: KeptProvider, state: ProviderState, error: AgentError) -> Entry:
    """Return a provider that cannot be asked, and why."""
    update = {"state": state, "reason": error.message}
    return Entry(key, kept.model_copy(update=update), None)


async def invented(provider: Provider, now: datetime) -> KeptProvider:
    """Return the demo's own provider."""
    return KeptProvider(
        name="Invented DNS",
        type=ProviderType.DEMO,
        name_servers=(),
        settings=KeptSettings(shown={}, sealed={}),
        capabilities=provider.capabilities,
        zones=await provider.zones(),
        state=ProviderState.OK,
        checked_at=now,
    )
