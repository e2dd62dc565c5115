"""The demo's DNS: providers and name servers that are invented, and agree with each other."""

from pydantic import SecretStr

from homelab_agent.areas.dns.models import (
    AuthoritativeAnswers,
    ProviderSettings,
    RecordType,
    ServerAnswer,
)
from homelab_agent.areas.dns.providers.demo import DEMO_SERVERS, DEMO_ZONE, DemoProvider
from homelab_agent.platform.dns_names import is_within
from homelab_agent.platform.errors import NotFound


class DemoDns:
    """Makes invented providers, whatever was wanted, and answers for their zones."""

    def __init__(self) -> None:
        self._providers: list[DemoProvider] = []

    def make(self, settings: ProviderSettings) -> DemoProvider:
        """Return an invented provider of the zones that the settings name.

        A key with the word "wrong" in it is refused, so that one can see how that is told.
        """
        named = getattr(settings, "zones", ()) or getattr(settings, "domains", ())
        zones = named or (f"{settings.type}.example.org",)
        provider = DemoProvider(zones, refuses=_is_wrong(settings))
        self._providers.append(provider)
        return provider

    def first(self) -> DemoProvider:
        """Return the provider that is there from the beginning."""
        provider = DemoProvider((DEMO_ZONE,))
        self._providers.append(provider)
        return provider

    async def answers(
        self,
        name: str,
        record_type: RecordType,
        *,
        zone: str | None,
        servers: tuple[str, ...],  # noqa: ARG002 - nobody is asked
    ) -> AuthoritativeAnswers:
        """See `NameServers.answers`."""
        for provider in self._providers:
            for known in provider.held_zones:
                if is_within(name, known) and zone in {None, known}:
                    return _answers(provider, known, name, record_type)
        raise NotFound(f"The invented DNS knows no {name}.", field="name")


def _is_wrong(settings: ProviderSettings) -> bool:
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return any(
        "wrong" in value.get_secret_value() for value in values if isinstance(value, SecretStr)
    )


def _answers(
    provider: DemoProvider, zone: str, name: str, record_type: RecordType
) -> AuthoritativeAnswers:
    record = provider.record(name, record_type)
    return AuthoritativeAnswers(
        name=name,
        type=record_type,
        zone=zone,
        agree=True,
        servers=tuple(
            ServerAnswer(
                server=server,
                address=address,
                values=record.values if record else (),
                ttl_s=record.ttl_s if record else None,
                serial=provider.serial,
                response_ms=11.5 + 7 * number,
            )
            for number, (server, address) in enumerate(DEMO_SERVERS)
        ),
    )
