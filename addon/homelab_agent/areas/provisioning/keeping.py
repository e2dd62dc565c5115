"""What the agent keeps of a domain beside the DNS and the proxy, and how that is put back."""

from homelab_agent.areas.ddns.models import DynamicAddress, DynamicAddressBody
from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.domains.models import Domain, DomainBody, ServiceType, WantedRecordSet
from homelab_agent.areas.provisioning.arguments import (
    Before,
    DeprovisionArguments,
    ProvisionArguments,
)
from homelab_agent.areas.provisioning.planner import Partners
from homelab_agent.areas.provisioning.wanted import ADDRESS_TYPES
from homelab_agent.areas.renewal.models import ManagedCertificate


class Keeping:
    """Reads and puts back what is kept: the domain, and the address that it follows."""

    def __init__(self, partners: Partners) -> None:
        self._domains = partners.domains
        self._dynamic = partners.dynamic
        self._certificates = partners.certificates
        self._proxy = partners.proxy

    async def ready(self) -> None:
        """Return when all that is kept is known: just after a start it looks as if nothing was."""
        await self._domains.until_ready()
        await self._proxy.until_ready()
        await self._dynamic.list()
        await self._certificates.list()

    def now(self, name: str, certificate: ManagedCertificate | None) -> Before:
        """Return how it is now, to be put back later."""
        dynamic = self._dynamic.find(name)
        return Before(
            domain=self._domains.kept(name),
            dynamic=dynamic_body(dynamic) if dynamic else None,
            certificate=certificate.key if certificate else None,
            handed_over=certificate is not None and certificate.hand_over.caddy,
        )

    def body(self, arguments: ProvisionArguments) -> DomainBody:
        """Return the domain that is kept once all of it works; its other records stay."""
        known = self._domains.find(arguments.name)
        # What was written for it before, and is not asked for now, is still there.
        written = ADDRESS_TYPES if known is not None and known.provisioned else frozenset()
        asked = {each.type for each in arguments.records}
        others = tuple(
            wanted_set(each)
            for each in (known.records if known else ())
            if each.type not in ADDRESS_TYPES or each.type in written - asked
        )
        # What follows an address has none that is wanted for ever.
        own = () if arguments.dynamic else tuple(map(wanted_set, arguments.records))
        return DomainBody(
            name=arguments.name,
            service_type=ServiceType.WEB,
            records=(*own, *others),
            container=arguments.container,
            note=known.note if known else None,
            provider=arguments.provider,
        )

    async def put_back(
        self, arguments: ProvisionArguments | DeprovisionArguments, before: Before
    ) -> str:
        """Have the domain kept, and its address followed, as before."""
        name = arguments.name
        await self.ready()
        if before.dynamic is None and self._dynamic.find(name) is not None:
            await self._dynamic.remove(name)
        elif before.dynamic is not None:
            await self._dynamic.add(before.dynamic, arguments.caller, admin=arguments.admin)
        await self._domains.put_back(name, before.domain, arguments.caller)
        return "The domain is kept as before." if before.domain else "The domain is not kept."


def dynamic_body(address: DynamicAddress) -> DynamicAddressBody:
    """Return how a name follows an address, as it would be asked for."""
    return DynamicAddressBody(
        name=address.key,
        provider=address.provider,
        source=address.source,
        interface=address.interface,
        ipv4=address.follows_ipv4,
        ipv6=address.follows_ipv6,
        ttl_s=address.ttl_s,
    )


def wanted_set(records: RecordSet) -> WantedRecordSet:
    """Return records as a domain wants them."""
    return WantedRecordSet(type=records.type, values=records.values, ttl_s=records.ttl_s)


def without_addresses(domain: Domain, *, besides: frozenset[RecordType]) -> DomainBody:
    """Return a domain as it is wanted when nothing is served there; `besides` stay all the same."""
    return DomainBody(
        name=domain.id,
        service_type=domain.service_type,
        records=tuple(
            wanted_set(each)
            for each in domain.records
            if each.type in besides or each.type not in ADDRESS_TYPES
        ),
        note=domain.note,
        provider=domain.provider,
    )
