"""What every provider of DNS promises of records and names, as far as it offers them."""

from pathlib import Path

import pytest

from homelab_agent.areas.dns.models import RecordType
from homelab_agent.areas.dns.providers.errors import NotOffered, ProviderRefused
from tests.contract.dns_providers.agent_side import bare, records
from tests.contract.dns_providers.cases import Case, Table
from tests.contract.dns_providers.place import Subject
from tests.contract.dns_providers.subjects import SUBJECTS
from tests.contract.dns_providers.trial import Trial, Trying
from tests.contract.dns_providers.trial import trying as open_trying

TTL_S = 7200
OTHER_TTL_S = 10800

NAMES = {
    Case.WILDCARD: ("*.{}", "*.{}"),
    Case.UNDERSCORE: ("_acme-challenge.{}", "_acme-challenge.{}"),
    Case.INTERNATIONAL: ("BÜRO.{}.", "xn--bro-hoa.{}"),
    Case.LONGEST: (
        f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{{}}",
        f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{{}}",
    ),
}
TEXTS = {
    Case.LONG_TEXT: "k" * 600,
    Case.ODD_TEXT: 'say "grüße" \\ and; more',
}


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    assert isinstance(request.param, Subject)
    return request.param


@pytest.fixture
def trying(subject: Subject, table: Table, tmp_path: Path) -> Trying:
    return open_trying(subject, table, tmp_path)


async def test_a_provider_names_its_zones_as_soon_as_it_is_set_up(trying: Trying) -> None:
    async with trying(Case.ZONES) as trial:
        (shown,) = trial.agent.service.providers().providers
        assert trial.subject.zone in shown.zones
        assert shown.capabilities == trial.capabilities
        assert (shown.state, shown.reason) == ("ok", None)


async def test_a_zone_is_listed_as_it_is(trying: Trying) -> None:
    async with trying(Case.LISTS) as trial:
        if not trial.capabilities.lists:
            with pytest.raises(NotOffered):
                await trial.agent.provider.read(trial.subject.zone, None)
            assert trial.lacks("its API does not tell what a zone holds; name servers are asked")
            return
        await trial.place.put(records(trial.subject.at("www"), RecordType.A, "192.0.2.7"))
        contents = await trial.agent.provider.read(trial.subject.zone, None)
        assert bare(contents.records) == bare(await trial.place.held())


async def test_one_name_is_read_as_it_is(trying: Trying) -> None:
    async with trying(Case.READS) as trial:
        name = trial.subject.at("www")
        await trial.place.put(records(name, RecordType.A, "192.0.2.7"))
        (found,) = await trial.agent.service.read(name, RecordType.A)
        assert found.values == ("192.0.2.7",)
        assert not await trial.agent.service.read(f"nobody.{trial.subject.zone}", RecordType.TXT)


@pytest.mark.parametrize("kind", RecordType)
async def test_records_are_made_changed_and_deleted_or_all_of_it_is_refused(
    trying: Trying, kind: RecordType
) -> None:
    async with trying(Case[kind.name]) as trial:
        name = trial.subject.at("_sip._tcp" if kind is RecordType.SRV else "thing")
        one, other = trial.subject.values(kind)
        if not _creates(trial, kind):
            await trial.require_refused(name, kind, one)
            assert trial.lacks(trial.capabilities.limits)
            return
        for wanted in ((one,), (other,), ()):
            await trial.agent.have(records(name, kind, *wanted))
            assert await trial.now(name, kind) == wanted


async def test_an_address_that_is_there_is_changed_and_nothing_else(trying: Trying) -> None:
    async with trying(Case.ADDRESS) as trial:
        name = trial.subject.at("home")
        await trial.place.put(records(name, RecordType.A, "192.0.2.7"))
        before = bare(await trial.place.held())
        await trial.agent.have(records(name, RecordType.A, "192.0.2.8"))
        after = before | {(name, RecordType.A): ("192.0.2.8",)}
        assert bare(await trial.place.held()) == after


async def test_a_name_has_several_values_in_any_order(trying: Trying) -> None:
    async with trying(Case.SEVERAL) as trial:
        name, kind = trial.subject.at("many"), trial.kind
        both = trial.subject.values(kind)
        if not trial.capabilities.several_values:
            await trial.require_refused(name, kind, *both)
            assert trial.lacks(trial.capabilities.limits)
            return
        await trial.agent.have(records(name, kind, *both))
        assert set(await trial.now(name, kind)) == set(both)
        turned = records(name, kind, *both).model_copy(update={"values": both[::-1]})
        assert not (await trial.agent.plan(turned)).changes
        await trial.agent.have(records(name, kind, both[1]))
        assert await trial.now(name, kind) == (both[1],)


async def test_the_ttl_is_what_was_wanted(trying: Trying) -> None:
    async with trying(Case.TTL) as trial:
        name, kind = trial.subject.at("ttl"), trial.kind
        one, other = trial.subject.values(kind)
        if not trial.capabilities.sets_ttl:
            assert (await trial.agent.plan(records(name, kind, one, ttl_s=TTL_S))).warnings
            assert trial.lacks("the provider decides the TTL")
            return
        for value, ttl_s in ((one, TTL_S), (other, OTHER_TTL_S)):
            await trial.agent.have(records(name, kind, value, ttl_s=ttl_s))
            assert await _ttl_s(trial, name, kind) == ttl_s
        smallest = trial.capabilities.smallest_ttl_s
        if smallest is not None:
            with pytest.raises(NotOffered, match=str(smallest)):
                await trial.agent.plan(records(name, kind, other, ttl_s=smallest - 1))


async def test_a_ttl_alone_is_changed_or_it_is_told_that_it_cannot_be(trying: Trying) -> None:
    async with trying(Case.TTL_ALONE) as trial:
        if not trial.capabilities.sets_ttl:
            assert trial.lacks("the provider decides the TTL")
            return
        name, kind = trial.subject.at("ttl"), trial.kind
        wanted = records(name, kind, trial.subject.values(kind)[0], ttl_s=TTL_S)
        await trial.agent.have(wanted)
        before = await trial.place.held()
        plan = await trial.agent.plan(wanted.model_copy(update={"ttl_s": OTHER_TTL_S}))
        if not trial.subject.ttl_alone:
            with pytest.raises(ProviderRefused) as refused:
                await trial.agent.service.write(plan)
            assert await trial.place.held() == before
            assert trial.lacks(f"{trial.subject.server} does not take it, and it is told")
            assert refused.value.hint
            return
        await trial.agent.service.write(plan)
        assert await _ttl_s(trial, name, kind) == OTHER_TTL_S


@pytest.mark.parametrize("case", NAMES)
async def test_every_name_that_dns_can_have_can_be_had(trying: Trying, case: Case) -> None:
    async with trying(case) as trial:
        if trial.lacks(trial.why_few_names):
            return
        given, name = (each.format(trial.subject.zone) for each in NAMES[case])
        kind = RecordType.TXT
        await trial.agent.have(records(given, kind, "here"))
        assert await trial.now(name, kind) == ("here",)
        await trial.agent.have(records(given, kind))
        assert await trial.now(name, kind) == ()


@pytest.mark.parametrize("case", TEXTS)
async def test_a_text_comes_back_as_it_was_given(trying: Trying, case: Case) -> None:
    async with trying(case) as trial:
        name = trial.subject.at("text")
        wanted = records(name, RecordType.TXT, TEXTS[case])
        if case is Case.ODD_TEXT and not trial.subject.odd_texts:
            before = await trial.place.held()
            plan = await trial.agent.plan(wanted)
            with pytest.raises((NotOffered, ProviderRefused)) as refused:
                await trial.agent.service.write(plan)
            assert await trial.place.held() == before
            assert trial.lacks(refused.value.message)
            return
        await trial.agent.have(wanted)
        assert await trial.now(name, RecordType.TXT) == (TEXTS[case],)


async def test_what_is_not_offered_is_refused_before_anything_is_sent(trying: Trying) -> None:
    async with trying(Case.REFUSED_BEFORE) as trial:
        asked = trial.place.changes_asked()
        for kind in RecordType:
            if not _creates(trial, kind):
                name = trial.subject.at("_sip._tcp" if kind is RecordType.SRV else "thing")
                await trial.require_refused(name, kind, trial.subject.values(kind)[0])
        if not trial.agent.provider.sets_addresses:
            with pytest.raises(NotOffered):
                await trial.agent.provider.set_addresses(
                    trial.subject.at("home"), "192.0.2.9", None
                )
        assert trial.place.changes_asked() == asked


async def _ttl_s(trial: Trial, name: str, kind: RecordType) -> int | None:
    held = {(each.name, each.type): each.ttl_s for each in await trial.place.held()}
    return held[name, kind]


def _creates(trial: Trial, kind: RecordType) -> bool:
    can = trial.capabilities
    is_address = kind in {RecordType.A, RecordType.AAAA}
    return kind in can.types and (can.creates_addresses or not is_address)
