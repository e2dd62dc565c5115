"""The area of DNS with scripted providers instead of real ones."""

from collections.abc import Callable

from pydantic import SecretStr

from homelab_agent.areas.dns.book import ANSWER_S, ProviderBook
from homelab_agent.areas.dns.entries import KeptProvider
from homelab_agent.areas.dns.models import (
    AuthoritativeAnswers,
    PowerDnsSettings,
    ProviderBody,
    ProviderSettings,
    ProviderType,
    RecordType,
    ServerAnswer,
)
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.areas.dns.service import DnsService
from homelab_agent.areas.dns.writer import Patience, ZoneWriter
from homelab_agent.areas.dns.zone_tally import ZoneTally
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock
from tests.fakes.scripted_dns import ScriptedProvider

SECRET = "of-nobody-elses-business"
ZONE = "example.org"
SOON = Patience(read_back_s=0.3, served_s=0.3, away_s=20)


def settings(url: str = "http://dns.lan:8081", secret: str = SECRET) -> PowerDnsSettings:
    return PowerDnsSettings(
        type=ProviderType.POWERDNS, url=url, api_key=SecretStr(secret), verify_tls=True
    )


class ShownServers:
    """Name servers that show what a provider holds, or what a test says."""

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider
        self.says: dict[str, tuple[str, ...] | None] = {}

    async def answers(
        self, name: str, record_type: RecordType, *, zone: str | None, servers: tuple[str, ...]
    ) -> AuthoritativeAnswers:
        held = self._provider.held.get((name, record_type))
        truth = held.values if held else ()
        given = [self.says.get(server, truth) for server in servers or ("ns1", "ns2")]
        return AuthoritativeAnswers(
            name=name,
            type=record_type,
            zone=zone or self._provider.zone,
            agree=len(set(given)) == 1 and None not in given,
            servers=tuple(
                ServerAnswer(
                    server=server,
                    address="192.0.2.53",
                    values=values,
                    reason=None if values is not None else f"{server} is silent",
                )
                for server, values in zip(servers or ("ns1", "ns2"), given, strict=True)
            ),
        )


class House:
    """One life of the area on a store. `make` is what opens a provider."""

    def __init__(
        self,
        store: Store,
        provider: ScriptedProvider,
        *,
        make: Callable[[ProviderSettings], Provider] | None = None,
        vault_key: bytes = b"k" * 32,
        clock: HandClock | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.provider = provider
        self.clock = clock or HandClock()
        self.resources = Resources()
        self.secrets = SecretFilter()
        self.servers = ShownServers(provider)
        self.book = ProviderBook(
            Records(store, dns_provider, KeptProvider),
            Vault(vault_key, self.secrets),
            self.resources,
            make or (lambda _: provider),
            self.clock,
            answer_s=answer_s,
        )
        self.writer = ZoneWriter(self.book, self.servers, SOON)
        self.service = DnsService(
            self.book, self.writer, self.servers, ZoneTally(store, self.clock)
        )

    async def with_provider(self, *, verify: bool = True) -> House:
        """Have the provider set up."""
        await self.service.add_provider(
            ProviderBody(name="Knot", settings=settings(), verify=verify)
        )
        return self
