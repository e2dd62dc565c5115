"""Everything that the client asks about domains and what serves them, once each."""

from collections.abc import Awaitable, Callable

from custom_components.homelab.client import AgentClient
from custom_components.homelab.client.models import (
    AcmeAccountBody,
    ApplyBody,
    AuthoritativeQuery,
    BasicAuthUser,
    CertificateDeleteQuery,
    DeprovisionBody,
    DomainApplyBody,
    DomainBody,
    DomainChange,
    DomainDeleteQuery,
    DomainHistoryQuery,
    DomainPlanBody,
    DomainQuery,
    DomainReplaceBody,
    DynamicAddressBody,
    ImportBody,
    IssueBody,
    PlanBody,
    ProviderBody,
    ProviderChange,
    ProvisionPlanBody,
    ProxyMode,
    ProxySetupBody,
    RecordType,
    RenewBody,
    RevokeBody,
    RouteBody,
    StartBody,
    UploadBody,
    WantedRecords,
    WantedRecordSet,
    ZoneQuery,
)

NAME = "photos.example.org"
HASH = "0" * 64
WANTED = (WantedRecords(name=NAME, type=RecordType.A, values=("203.0.113.7",)),)
RECORDS = (WantedRecordSet(type=RecordType.A, values=("203.0.113.7",)),)
ROUTE = RouteBody(
    upstreams=("192.0.2.10:8080",),
    basic_auth=(BasicAuthUser(username="me", password="a-long-password"),),
)
SETTINGS = {"type": "duckdns", "token": "a-token", "domains": ["example.duckdns.org"]}

OF_DOMAINS: dict[str, Callable[[AgentClient], Awaitable[object]]] = {
    "dns.providers": lambda client: client.dns.providers(),
    "dns.add_provider": lambda client: client.dns.add_provider(
        ProviderBody(name="Duck", settings=SETTINGS)
    ),
    "dns.change_provider": lambda client: client.dns.change_provider(
        "duck", ProviderChange(settings=SETTINGS)
    ),
    "dns.remove_provider": lambda client: client.dns.remove_provider("duck"),
    "dns.test_provider": lambda client: client.dns.test_provider("duck"),
    "dns.zones": lambda client: client.dns.zones(ZoneQuery(provider="duck")),
    "dns.zone": lambda client: client.dns.zone("example.org", ZoneQuery(text="photos")),
    "dns.answers": lambda client: client.dns.answers(AuthoritativeQuery(name=NAME)),
    "dns.plan": lambda client: client.dns.plan(PlanBody(wanted=WANTED)),
    "dns.apply": lambda client: client.dns.apply(ApplyBody(wanted=WANTED, plan_hash=HASH)),
    "dynamic_addresses.list": lambda client: client.dynamic_addresses.list(),
    "dynamic_addresses.add": lambda client: client.dynamic_addresses.add(
        DynamicAddressBody(name=NAME)
    ),
    "dynamic_addresses.remove": lambda client: client.dynamic_addresses.remove(NAME),
    "dynamic_addresses.update": lambda client: client.dynamic_addresses.update(NAME),
    "dynamic_addresses.pause": lambda client: client.dynamic_addresses.pause(NAME),
    "dynamic_addresses.resume": lambda client: client.dynamic_addresses.resume(NAME),
    "domains.page": lambda client: client.domains.page(DomainQuery(text="photos")),
    "domains.get": lambda client: client.domains.get(NAME),
    "domains.add": lambda client: client.domains.add(DomainBody(name=NAME, records=RECORDS)),
    "domains.replace": lambda client: client.domains.replace(NAME, DomainReplaceBody()),
    "domains.change": lambda client: client.domains.change(NAME, DomainChange(note="Mine")),
    "domains.forget": lambda client: client.domains.forget(NAME),
    "domains.forget_with_records": lambda client: client.domains.forget(
        NAME, DomainDeleteQuery(plan_hash=HASH, wait_s=1)
    ),
    "domains.health": lambda client: client.domains.health(NAME),
    "domains.look": lambda client: client.domains.look(NAME),
    "domains.health_of_all": lambda client: client.domains.health_of_all(),
    "domains.summary": lambda client: client.domains.summary(),
    "domains.history": lambda client: client.domains.history(NAME, DomainHistoryQuery(limit=5)),
    "domains.export": lambda client: client.domains.export(),
    "domains.export_csv": lambda client: client.domains.export_csv(),
    "domains.import_text": lambda client: client.domains.import_text(ImportBody(text="{}")),
    "domains.plan": lambda client: client.domains.plan(NAME, DomainPlanBody()),
    "domains.apply": lambda client: client.domains.apply(NAME, DomainApplyBody(plan_hash=HASH)),
    "provisioning.plan": lambda client: client.provisioning.plan(ProvisionPlanBody(name=NAME)),
    "provisioning.start": lambda client: client.provisioning.start(StartBody(name=NAME)),
    "provisioning.get": lambda client: client.provisioning.get(NAME),
    "provisioning.take_back": lambda client: client.provisioning.take_back(NAME, DeprovisionBody()),
    "proxy.report": lambda client: client.proxy.report(),
    "proxy.set_up": lambda client: client.proxy.set_up(ProxySetupBody(mode=ProxyMode.MANAGED)),
    "proxy.route": lambda client: client.proxy.route(NAME),
    "proxy.plan": lambda client: client.proxy.plan(NAME, ROUTE),
    "proxy.put": lambda client: client.proxy.put(NAME, ROUTE),
    "proxy.remove": lambda client: client.proxy.remove(NAME),
    "proxy.restore": lambda client: client.proxy.restore(NAME),
    "renewal.list": lambda client: client.renewal.list(),
    "renewal.get": lambda client: client.renewal.get(NAME),
    "renewal.issue": lambda client: client.renewal.issue(IssueBody(names=(NAME,))),
    "renewal.upload": lambda client: client.renewal.upload(
        UploadBody(certificate_pem="-", key_pem="-")
    ),
    "renewal.renew": lambda client: client.renewal.renew(NAME, RenewBody()),
    "renewal.revoke": lambda client: client.renewal.revoke(NAME, RevokeBody()),
    "renewal.forget": lambda client: client.renewal.forget(NAME, CertificateDeleteQuery(wait_s=0)),
    "renewal.account": lambda client: client.renewal.account(),
    "renewal.set_account": lambda client: client.renewal.set_account(
        AcmeAccountBody(terms_agreed=True)
    ),
}
