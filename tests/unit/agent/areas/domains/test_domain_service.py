"""Domains by people and by other areas: what they change, what is refused, what history says."""

import json
from datetime import timedelta

import pytest

from homelab_agent.areas.ddns.models import (
    DYNAMIC_ADDRESS_EVENT_KIND,
    DynamicAddressEvent,
    DynamicAddressEventType,
)
from homelab_agent.areas.dns.models import PlanBody, RecordType, WantedRecords
from homelab_agent.areas.domains.models import (
    DOMAIN_KIND,
    Domain,
    DomainApplyBody,
    DomainChange,
    DomainDeleteQuery,
    DomainEventType,
    DomainHistoryQuery,
    DomainPlanBody,
    DomainQuery,
    DomainReplaceBody,
    DomainStatus,
    ProxyState,
    ServiceType,
)
from homelab_agent.areas.domains.store import history_rule
from homelab_agent.areas.proxy.models import (
    PROXY_ROUTE_KIND,
    ProxyRoute,
    RouteCertificate,
    RouteOptions,
    RouteState,
)
from homelab_agent.platform.commands import Caller, Outcome, Scope
from homelab_agent.platform.errors import Conflict, Denied, Invalid, NotFound
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.retention import Retention
from tests.clock import HandClock
from tests.unit.agent.areas.domains.one_house import (
    PERSON,
    ZONE,
    OneHouse,
    a_record,
    body,
    one_house,
)

WIKI = f"wiki.{ZONE}"


async def test_what_is_wanted_outlives_a_restart(
    house: OneHouse, store: Store, clock: HandClock
) -> None:
    made = await house.add(records=[a_record(ttl_s=300)], note="ours", service_type="other")
    async with one_house(store, clock) as again:
        found = await again.service.shown(WIKI)
    assert found == made.model_copy(update={"status": found.status})


async def test_put_says_all_anew_and_patch_only_what_is_given(house: OneHouse) -> None:
    await house.add(records=[a_record()], note="ours", container="wiki")
    changed = await house.service.change(WIKI, DomainChange(note="theirs"), PERSON)
    assert (changed.note, changed.container, len(changed.records)) == ("theirs", "wiki", 1)
    emptied = await house.service.change(
        WIKI, DomainChange.model_validate({"note": None, "paused": None}), PERSON
    )
    assert (emptied.note, emptied.container) == (None, "wiki")
    replaced = await house.service.replace(WIKI, DomainReplaceBody(note="new"), PERSON)
    assert (replaced.note, replaced.container, replaced.records) == ("new", None, ())


async def test_history_tells_who_changed_what_from_what_to_what(house: OneHouse) -> None:
    await house.add(note="one")
    await house.service.change(WIKI, DomainChange(note="two"), PERSON)
    await house.service.change(WIKI, DomainChange(note="two"), PERSON)
    await house.service.forget(WIKI, PERSON)
    deleted, updated, created = await house.history()
    assert (created.type, created.before, created.caller) == ("created", None, "anna")
    assert (updated.type, updated.outcome) == (DomainEventType.UPDATED, Outcome.DONE)
    assert isinstance(updated.before, dict)
    assert isinstance(updated.after, dict)
    assert (updated.before["note"], updated.after["note"]) == ("one", "two")
    assert (deleted.type, deleted.after) == (DomainEventType.DELETED, None)


async def test_a_history_of_huge_texts_stays_small_and_says_what_it_left_out(
    house: OneHouse,
) -> None:
    texts = [f"{at}" + "x" * 3000 for at in range(100)]
    await house.add(records=[{"type": "TXT", "values": texts}])
    await house.service.change(WIKI, DomainChange(note="the same again"), PERSON)
    updated, created = await house.history()
    assert created.before is None
    for side in (created.after, updated.before, updated.after):
        assert "too long to be kept" in json.dumps(side)
        assert len(json.dumps(side)) < 200


async def test_history_has_pages_that_stay_right(house: OneHouse) -> None:
    await house.add()
    for number in range(5):
        await house.service.change(WIKI, DomainChange(note=f"{number}"), PERSON)
    seen: list[int] = []
    query = DomainHistoryQuery(limit=2)
    while True:
        page = await house.reader.history(WIKI, query)
        seen += [each.id for each in page.events]
        if page.next_before is None:
            break
        # Somebody writes meanwhile: what is on the next pages stays the same.
        await house.service.note(WIKI, DomainEventType.STEP, caller="anna", step="validate")
        query = DomainHistoryQuery(limit=2, before=page.next_before)
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 6


async def test_who_did_not_see_what_somebody_else_changed_is_told(
    house: OneHouse, clock: HandClock
) -> None:
    seen = (await house.add()).changed_at
    clock.advance(seconds=1)
    await house.service.change(WIKI, DomainChange(note="mine", unchanged_since=seen), PERSON)
    late = DomainReplaceBody(note="theirs", unchanged_since=seen)
    with pytest.raises(Conflict) as caught:
        await house.service.replace(WIKI, late, PERSON)
    assert caught.value.field == "unchanged_since"
    assert (await house.service.shown(WIKI)).note == "mine"


async def test_only_changes_are_published(house: OneHouse, clock: HandClock) -> None:
    await house.add()
    await house.service.look(WIKI)
    seen = house.resources.seq
    clock.advance(minutes=5)
    await house.service.look(WIKI)
    assert house.resources.seq == seen
    assert (await house.service.shown(WIKI)).checked_at == clock.now
    await house.service.change(WIKI, DomainChange(note="other"), PERSON)
    published = house.resources.get(DOMAIN_KIND, WIKI)
    assert isinstance(published, Domain)
    assert published.note == "other"


async def test_what_other_areas_put_can_be_put_back(house: OneHouse) -> None:
    known = await house.add(note="by hand")
    before = await house.service.put(
        body(WIKI, note="by a job"), "anna", provisioned=True, job_id="j1"
    )
    assert before is not None
    # Again, as after a crash: nothing more happens.
    lines = len(await house.history())
    await house.service.put(body(WIKI, note="by a job"), "anna", provisioned=True, job_id="j1")
    assert len(await house.history()) == lines
    now = await house.service.shown(WIKI)
    assert (now.note, now.provisioned) == ("by a job", True)
    for _ in range(2):
        await house.service.put_back(WIKI, before, "anna")
    back = await house.service.shown(WIKI)
    assert back.model_copy(update={"status": known.status}) == known


async def test_what_other_areas_made_is_gone_when_it_is_put_back(house: OneHouse) -> None:
    assert await house.service.put(body(), "anna", provisioned=True, job_id="j1") is None
    for _ in range(2):
        await house.service.put_back(WIKI, None, "anna")
    assert house.service.find(WIKI) is None
    assert house.resources.get(DOMAIN_KIND, WIKI) is None
    assert [each.type for each in await house.history()] == ["deleted", "created"]


async def test_a_provisioned_domain_is_not_just_forgotten(house: OneHouse) -> None:
    await house.service.put(body(), "anna", provisioned=True, job_id=None)
    with pytest.raises(Conflict, match="provisioned") as caught:
        await house.changes.delete(WIKI, DomainDeleteQuery(), PERSON)
    assert "eprovision it first" in (caught.value.hint or "")


async def test_a_domain_shows_that_a_job_is_at_it(house: OneHouse) -> None:
    await house.add()
    await house.service.changing(WIKI, "job-1")
    shown = await house.service.shown(WIKI)
    assert (shown.status, shown.job_id) == (DomainStatus.CHANGING, "job-1")
    with pytest.raises(Conflict):
        await house.service.forget(WIKI, PERSON)
    await house.service.changing(WIKI, None)
    assert (await house.service.shown(WIKI)).job_id is None


async def test_lists_are_filtered_and_paged_by_name(house: OneHouse) -> None:
    for number in range(7):
        await house.add(f"n{number}.example.org", service_type="mail" if number % 2 else "web")
    await house.add("büro.example.org", note="Im dritten STOCK", records=[a_record("192.0.2.77")])

    async def ids(**query: object) -> list[str]:
        page = await house.reader.page(DomainQuery.model_validate(query))
        return [each.id for each in page.domains]

    assert len(await ids()) == 8
    assert await ids(service_type="mail") == ["n1.example.org", "n3.example.org", "n5.example.org"]
    for text in ("BÜRO", "bu\u0308ro", "xn--b", "stock", "192.0.2.77"):
        assert await ids(text=text) == ["xn--bro-hoa.example.org"]
    assert await ids(status="unhealthy") == []
    first = await house.reader.page(DomainQuery(limit=3))
    assert (first.total, first.next_after) == (8, "n2.example.org")
    # One goes and one comes before: the next page begins where the last one ended.
    await house.service.forget("n2.example.org", PERSON)
    await house.add("a.example.org")
    assert await ids(limit=3, after=first.next_after) == [f"n{n}.example.org" for n in (3, 4, 5)]


async def test_the_summary_counts_and_names_problems_worst_first(house: OneHouse) -> None:
    house.found = {
        "a.example.org": DomainStatus.DEGRADED,
        "b.example.org": DomainStatus.UNHEALTHY,
    }
    for name in ("a", "b", "c"):
        await house.add(f"{name}.example.org", service_type="mail" if name == "c" else "web")
        for _ in range(2):
            await house.service.look(f"{name}.example.org")
    summary = await house.reader.summary()
    assert summary.total == 3
    assert summary.by_service_type == {ServiceType.WEB: 2, ServiceType.MAIL: 1}
    assert [each.id for each in summary.problems] == ["b.example.org", "a.example.org"]
    report = await house.reader.health()
    assert [each.status for each in report.domains] == ["unhealthy", "degraded", "healthy"]


async def test_who_has_no_domain_of_that_name_is_told(house: OneHouse) -> None:
    with pytest.raises(NotFound):
        await house.service.get("nobody.example.org")
    with pytest.raises(NotFound):
        await house.reader.history("nobody.example.org", DomainHistoryQuery())


async def test_records_are_made_by_plan_and_hash_and_noted(house: OneHouse) -> None:
    await house.add(records=[a_record("192.0.2.8")])
    plan = await house.changes.plan(WIKI, DomainPlanBody())
    assert [str(each.action) for each in plan.changes] == ["create"]
    wrong = DomainApplyBody(plan_hash="0" * 32)
    with pytest.raises(Conflict) as caught:
        await house.changes.apply(WIKI, wrong, PERSON)
    assert caught.value.field == "plan_hash"
    result = await house.changes.apply(WIKI, DomainApplyBody(plan_hash=plan.hash), PERSON)
    assert result.outcome is Outcome.DONE
    (record,) = await house.dns.read(WIKI, RecordType.A)
    assert record.values == ("192.0.2.8",)
    applied = (await house.history())[0]
    assert (applied.type, applied.caller, applied.before) == ("dns_applied", "anna", [])
    assert isinstance(applied.after, list)
    again = await house.changes.plan(WIKI, DomainPlanBody())
    done = await house.changes.apply(WIKI, DomainApplyBody(plan_hash=again.hash), PERSON)
    assert done.outcome is Outcome.NOT_NEEDED


async def test_a_plan_of_yesterday_is_refused(house: OneHouse) -> None:
    await house.add(records=[a_record("192.0.2.8")])
    plan = await house.changes.plan(WIKI, DomainPlanBody())
    await house.dns.add_txt(WIKI, "somebody else")
    other = PlanBody(wanted=(WantedRecords(name=WIKI, type=RecordType.A, values=("192.0.2.99",)),))
    await house.dns.write(await house.dns.plan(other))
    with pytest.raises(Conflict):
        await house.changes.apply(WIKI, DomainApplyBody(plan_hash=plan.hash), PERSON)
    (record,) = await house.dns.read(WIKI, RecordType.A)
    assert record.values == ("192.0.2.99",)


async def test_what_the_provider_does_not_offer_is_told_by_the_record_of_the_domain(
    house: OneHouse,
) -> None:
    await house.add(records=[a_record(ttl_s=5)])
    with pytest.raises(Invalid, match="smallest TTL") as refused:
        await house.changes.plan(WIKI, DomainPlanBody())
    assert refused.value.field == "records.0.ttl_s"


async def test_a_domain_that_wants_no_records_has_no_plan(house: OneHouse) -> None:
    await house.add()
    with pytest.raises(Invalid) as caught:
        await house.changes.plan(WIKI, DomainPlanBody())
    assert caught.value.field == "records"


async def test_what_touches_a_third_of_a_zone_needs_an_admin(house: OneHouse) -> None:
    await house.add(ZONE, records=[{"type": "NS", "values": ["ns1.elsewhere.example"]}])
    plan = await house.changes.plan(ZONE, DomainPlanBody())
    assert plan.needs_admin
    with pytest.raises(Denied):
        await house.changes.apply(ZONE, DomainApplyBody(plan_hash=plan.hash), PERSON)
    admin = Caller(name="root", scope=Scope.ADMIN)
    result = await house.changes.apply(ZONE, DomainApplyBody(plan_hash=plan.hash), admin)
    assert result.outcome is Outcome.DONE


async def test_deleting_by_plan_removes_exactly_the_records_of_the_domain(house: OneHouse) -> None:
    await house.add(records=[a_record("192.0.2.8")])
    plan = await house.changes.plan(WIKI, DomainPlanBody())
    await house.changes.apply(WIKI, DomainApplyBody(plan_hash=plan.hash), PERSON)
    await house.dns.add_txt(WIKI, "not the domain's")
    removal = await house.changes.plan(WIKI, DomainPlanBody(remove=True))
    result = await house.changes.delete(WIKI, DomainDeleteQuery(plan_hash=removal.hash), PERSON)
    assert result.outcome is Outcome.DONE
    assert house.service.find(WIKI) is None
    assert [each.type for each in await house.dns.read(WIKI)] == [RecordType.TXT]
    assert [each.type for each in await house.history()][:2] == ["deleted", "dns_applied"]


async def test_what_is_done_to_its_records_elsewhere_is_in_its_history(house: OneHouse) -> None:
    await house.add()
    plan = await house.dns.plan(
        PlanBody(wanted=(WantedRecords(name=WIKI, type=RecordType.A, values=("192.0.2.5",)),))
    )
    await house.following.applied(plan, "job-1")
    event = DynamicAddressEvent(
        key=WIKI,
        type=DynamicAddressEventType.CHANGED,
        number=1,
        at=house.clock(),
        old_ipv4="192.0.2.5",
        new_ipv4="192.0.2.6",
    )
    await house.following.take(house.changed(DYNAMIC_ADDRESS_EVENT_KIND, WIKI, event))
    by_address, by_plan = (await house.history())[:2]
    assert (by_plan.type, by_plan.job_id) == ("dns_applied", "job-1")
    assert by_address.after == {"ipv4": "192.0.2.6", "ipv6": None}
    assert len(await house.history()) == 3


async def test_a_route_that_somebody_changed_shows_at_each_of_its_names(house: OneHouse) -> None:
    await house.add()
    await house.add("www.example.org")
    route = ProxyRoute(
        key=WIKI,
        aliases=("www.example.org",),
        upstreams=("wiki:80",),
        certificate=RouteCertificate.CADDY,
        options=RouteOptions(),
        state=RouteState.DRIFTED,
        changed_at=house.clock(),
    )
    house.resources.publish(PROXY_ROUTE_KIND, WIKI, route)
    await house.following.take(house.changed(PROXY_ROUTE_KIND, WIKI, route))
    for name in (WIKI, "www.example.org"):
        assert (await house.service.shown(name)).proxy_state is ProxyState.DRIFTED
        published = house.resources.get(DOMAIN_KIND, name)
        assert isinstance(published, Domain)
        assert published.proxy_state is ProxyState.DRIFTED


async def test_old_history_goes_and_the_newest_stays(house: OneHouse, store: Store) -> None:
    await house.add(note="old")
    house.clock.now += timedelta(days=31)
    await house.service.change(WIKI, DomainChange(note="new"), PERSON)
    assert await Retention(store, house.clock, [history_rule(30)]).sweep() == 1
    assert [each.type for each in await house.history()] == ["updated"]
