from typing import Any

import pytest
from pydantic import ValidationError

from homelab_agent.areas.ddns.models import DynamicAddressBody
from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.domains.models import DomainBody, WantedRecordSet
from homelab_agent.areas.domains.models import RecordType as DomainRecordType
from homelab_agent.areas.provisioning.models import DeprovisionBody, ProvisionPlanBody
from homelab_agent.areas.proxy.models import (
    KeptRoute,
    RouteCertificate,
    RouteOptions,
)
from homelab_agent.areas.renewal.models import HandOver
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    Unavailable,
)
from tests.fakes.containers import container
from tests.fakes.provisioning_bench import NAME, PHONE, Bench, start_body
from tests.fakes.provisioning_partners import NOW, certificate, raising

ADMIN = Caller(name="admin", scope=Scope.ADMIN)


def _there(type_: RecordType, value: str) -> RecordSet:
    return RecordSet(name=NAME, type=type_, values=(value,), ttl_s=300)


async def _plan(bench: Bench, **changes: Any) -> Any:
    body = {"name": NAME, "container": "photos", "ipv4": "192.0.2.1"} | changes
    return await bench.service.plan(ProvisionPlanBody.model_validate(body))


async def test_a_plan_says_each_step_and_changes_nothing(bench: Bench) -> None:
    before = bench.state()

    plan = await _plan(bench, name="Photos.Home.Example.")

    assert plan.name == NAME
    assert plan.upstream == "127.0.0.1:2342"
    assert len(plan.steps) == 8
    assert plan.dns.changes
    assert bench.state() == before


async def test_a_start_is_refused_when_the_world_is_another_than_the_plan_saw(
    bench: Bench,
) -> None:
    plan = await _plan(bench)
    bench.dns.records[NAME, RecordType.A] = _there(RecordType.A, "198.51.100.1")

    with pytest.raises(Conflict) as refused:
        await bench.service.start(start_body(plan_hash=plan.hash), PHONE)

    assert refused.value.field == "plan_hash"


async def test_a_start_with_the_hash_of_its_plan_is_done(bench: Bench) -> None:
    plan = await _plan(bench, basic_auth=[{"username": "me", "password": "long enough"}])
    users = [{"username": "me", "password": "long enough"}]

    job = await bench.provision(plan_hash=plan.hash, basic_auth=users)

    assert job.outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"name": "photos..home.example"}, Invalid, "name"),
        ({"name": "my_photos.home.example"}, Invalid, "name"),
        ({"name": "*.home.example"}, Invalid, "name"),
        ({"name": f"{'a' * 64}.home.example"}, Invalid, "name"),
        ({"name": "photos.elsewhere.example"}, NotFound, "name"),
        ({"container": "nobody"}, NotFound, None),
        ({"certificate": "managed"}, Conflict, "certificate"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_field_at_fault(
    bench: Bench, changes: dict[str, Any], error: type[AgentError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        await _plan(bench, **changes)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("there", "wanted", "field"),
    [
        (_there(RecordType.CNAME, "old.example.net"), {}, "name"),
        (_there(RecordType.TXT, "mine"), {"ipv4": None, "cname": "nas.example.net"}, "cname"),
    ],
)
async def test_a_cname_is_not_put_beside_other_records(
    bench: Bench, there: RecordSet, wanted: dict[str, Any], field: str
) -> None:
    bench.dns.records[NAME, there.type] = there

    with pytest.raises(Conflict) as refused:
        await _plan(bench, **wanted)

    assert refused.value.field == field
    assert refused.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"container": "other"},
        {"certificate": "dns_01"},
        {"options": {"allow": ["192.0.2.0/24"]}},
        {"basic_auth": [{"username": "me", "password": "long enough"}]},
        {"ipv4": "192.0.2.77"},
    ],
)
async def test_a_start_that_wants_something_else_than_was_planned_is_refused(
    bench: Bench, change: dict[str, Any]
) -> None:
    bench.containers.all["other"] = bench.containers.all["photos"]
    plan = await _plan(bench)

    with pytest.raises(Conflict) as refused:
        await bench.service.start(start_body(plan_hash=plan.hash, **change), PHONE)

    assert refused.value.field == "plan_hash"


async def test_what_the_proxy_refuses_is_told_by_the_field_that_was_given(bench: Bench) -> None:
    bench.faults.at["proxy.plan"] = raising(Invalid("no", field="upstreams.0"))
    with pytest.raises(Invalid) as refused:
        await _plan(bench)
    assert refused.value.field == "container"
    bench.faults.at["proxy.plan"] = raising(Invalid("no", field="upstreams.0"))
    with pytest.raises(Invalid) as refused:
        await _plan(bench, container=None, upstream="192.0.2.1:80")
    assert refused.value.field == "upstream"


async def test_a_route_with_further_names_keeps_them(bench: Bench) -> None:
    bench.proxy.routes_kept[NAME] = KeptRoute(
        host=NAME,
        aliases=("pictures.home.example",),
        upstreams=("192.0.2.1:80",),
        certificate=RouteCertificate.CADDY,
        options=RouteOptions(),
        changed_at=NOW,
    )

    with pytest.raises(Conflict, match="pictures") as refused:
        await _plan(bench)

    assert refused.value.field == "name"


async def test_a_host_that_somebody_else_serves_is_left_to_them(bench: Bench) -> None:
    bench.proxy.foreign.add(NAME)

    with pytest.raises(Conflict, match="somebody else"):
        await _plan(bench)


async def test_a_domain_that_leads_elsewhere_is_not_made_another(bench: Bench) -> None:
    records = (WantedRecordSet(type=DomainRecordType.A, values=("198.51.100.1",)),)
    await bench.domains.put(
        DomainBody(name=NAME, records=records), "me", provisioned=False, job_id=None
    )

    with pytest.raises(Conflict, match=r"198\.51\.100\.1"):
        await _plan(bench)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({"ipv4": "198.51.100.1"}, "ipv4"), ({"ipv4": None, "cname": "nas.example.net"}, "cname")],
)
async def test_an_address_is_not_given_to_a_name_that_follows_another_one(
    bench: Bench, wanted: dict[str, Any], field: str
) -> None:
    await bench.dynamic.add(DynamicAddressBody(name=NAME), "me", admin=False)

    with pytest.raises(Conflict, match="would be written over") as refused:
        await _plan(bench, **wanted)

    assert refused.value.field == field
    assert f"dynamic-addresses/{NAME}" in str(refused.value.hint)
    await _plan(bench, ipv4=None)
    await _plan(bench, ipv4=None, dynamic=True)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("wanted.0.type", "cname"),
        ("wanted.0.values.1", "cname"),
        ("wanted.0.ttl_s", "ttl_s"),
        ("wanted.0", "cname"),
        ("provider", "provider"),
    ],
)
async def test_what_the_dns_refuses_is_told_by_the_field_that_was_given(
    bench: Bench, told: str, field: str
) -> None:
    apex = Invalid("that is the zone's own name, which cannot be an alias", field=told)
    bench.faults.at["dns.plan"] = raising(apex)

    with pytest.raises(Invalid) as refused:
        await _plan(bench, ipv4=None, cname="nas.example.net")

    assert refused.value.field == field


async def test_a_certificate_by_dns_needs_a_provider_that_can_write_texts(bench: Bench) -> None:
    bench.dns.types = (RecordType.A, RecordType.AAAA)

    with pytest.raises(Invalid) as refused:
        await _plan(bench, certificate="dns_01")

    assert refused.value.field == "certificate"


async def test_a_provider_that_cannot_write_the_records_is_named(bench: Bench) -> None:
    bench.dns.types = (RecordType.TXT,)

    with pytest.raises(Invalid) as refused:
        await _plan(bench)

    assert refused.value.field == "provider"


@pytest.mark.parametrize(
    "away",
    [Conflict("No reverse proxy is set up."), Unavailable("Caddy does not let the agent in.")],
)
async def test_without_a_proxy_that_can_be_used_nothing_begins(
    bench: Bench, away: AgentError
) -> None:
    bench.proxy.away = away

    with pytest.raises(type(away)):
        await _plan(bench)


async def test_just_after_a_start_a_proxy_in_a_container_is_not_taken_for_one_on_the_machine(
    bench: Bench,
) -> None:
    bench.containers.all["caddy"] = container("caddy")
    bench.containers.networks = {"photos": ("web",), "caddy": ("web",)}
    bench.proxy.seen = bench.proxy.seen.model_copy(update={"container": "caddy"})
    assert bench.proxy.shown.container is None

    plan = await _plan(bench)

    assert plan.upstream == "photos:2342"


async def test_an_address_that_nobody_knows_has_to_be_given(bench: Bench) -> None:
    bench.dynamic.public = (None, None)

    with pytest.raises(Conflict) as refused:
        await _plan(bench, ipv4=None)

    assert refused.value.field == "ipv4"


async def test_another_address_that_the_name_keeps_is_warned_of(bench: Bench) -> None:
    bench.dns.records[NAME, RecordType.AAAA] = _there(RecordType.AAAA, "2001:db8::9")

    plan = await _plan(bench)

    assert any("2001:db8::9" in warning for warning in plan.warnings)


async def test_what_needs_an_admin_is_done_for_an_admin_only(bench: Bench) -> None:
    bench.dns.needs_admin = "more than a third of the zone would change"

    with pytest.raises(Denied, match="third"):
        await bench.service.start(start_body(), PHONE)
    started = await bench.service.start(start_body(wait_s=5), ADMIN)

    assert started.outcome is Outcome.DONE
    with pytest.raises(Denied, match="third"):
        await bench.service.remove(NAME, DeprovisionBody(), PHONE)


async def test_a_container_that_does_not_run_is_not_put_at_a_name(bench: Bench) -> None:
    stopped = bench.containers.all["photos"].model_copy(update={"state": ContainerState.EXITED})
    bench.containers.all["photos"] = stopped

    with pytest.raises(Conflict, match="does not run") as refused:
        await _plan(bench)

    assert refused.value.field == "container"


@pytest.mark.parametrize(
    "body",
    [
        {"container": "photos", "upstream": "nas:80"},
        {"container": None},
        {"container": None, "upstream": "nas:80", "port": 80},
        {"cname": "nas.example.net"},
        {"dynamic": True},
    ],
)
def test_wishes_that_contradict_each_other_are_no_body(body: dict[str, Any]) -> None:
    usual = {"name": NAME, "container": "photos", "ipv4": "192.0.2.1"}

    with pytest.raises(ValidationError):
        ProvisionPlanBody.model_validate(usual | body)


async def test_what_is_not_provisioned_cannot_be_taken_back(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.service.remove(NAME, DeprovisionBody(), PHONE)
    with pytest.raises(NotFound):
        await bench.service.get(NAME)


async def test_a_certificate_that_is_there_already_is_used_and_none_is_ordered(
    bench: Bench,
) -> None:
    names = (NAME, "*.home.example")
    bench.certificates.kept["wild"] = certificate("wild", HandOver(caddy=True), names=names)

    plan = await _plan(bench, certificate="dns_01")
    job = await bench.provision(certificate="dns_01")

    assert any("wild" in warning for warning in plan.warnings)
    assert job.outcome is Outcome.DONE
    assert set(bench.certificates.kept) == {"wild"}


async def test_ports_that_no_authority_comes_to_are_told_before_a_certificate_is_wanted(
    bench: Bench,
) -> None:
    assert not (await _plan(bench)).warnings
    bench.proxy.seen = bench.proxy.seen.model_copy(update={"addresses": ("127.0.0.1:8443",)})

    (warning,) = (await _plan(bench)).warnings

    assert "serves HTTPS at 127.0.0.1:8443" in warning
    assert "ports 80 and 443 only" in warning
