"""A provider of each type, made of its settings. Each is only loaded where it is used."""

from homelab_agent.areas.dns.models import (
    CloudflareSettings,
    DesecSettings,
    DuckDnsSettings,
    LexiconSettings,
    PowerDnsSettings,
    ProviderSettings,
    Rfc2136Settings,
    ZoneEditSettings,
)
from homelab_agent.areas.dns.providers.interface import Provider
from homelab_agent.areas.dns.providers.reach import Reach


def make_provider(settings: ProviderSettings, reach: Reach) -> Provider:  # noqa: PLR0911  # one a type
    """Return a provider; nothing is asked yet."""
    match settings:
        case Rfc2136Settings():
            from homelab_agent.areas.dns.providers.rfc2136 import Rfc2136Provider  # noqa: PLC0415

            return Rfc2136Provider(settings, reach)
        case PowerDnsSettings():
            from homelab_agent.areas.dns.providers.powerdns import PowerDnsProvider  # noqa: PLC0415

            return PowerDnsProvider(settings, reach)
        case CloudflareSettings():
            from homelab_agent.areas.dns.providers.cloudflare import (  # noqa: PLC0415
                CloudflareProvider,
            )

            return CloudflareProvider(settings, reach)
        case DuckDnsSettings():
            from homelab_agent.areas.dns.providers.duckdns import DuckDnsProvider  # noqa: PLC0415

            return DuckDnsProvider(settings, reach)
        case ZoneEditSettings():
            from homelab_agent.areas.dns.providers.zoneedit import ZoneEditProvider  # noqa: PLC0415

            return ZoneEditProvider(settings, reach)
        case DesecSettings():
            from homelab_agent.areas.dns.providers.desec import DesecProvider  # noqa: PLC0415

            return DesecProvider(settings, reach)
        case LexiconSettings():
            from homelab_agent.areas.dns.providers.lexicon import LexiconProvider  # noqa: PLC0415

            return LexiconProvider(settings, reach)
