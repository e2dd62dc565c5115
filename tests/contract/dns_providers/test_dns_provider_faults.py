"""What every provider of DNS promises when something goes wrong, or somebody else is at it too."""

import logging
import traceback
from pathlib import Path

import pytest

from homelab_agent.areas.dns.models import ProviderSettings, RecordSet, RecordType
from homelab_agent.areas.dns.providers.errors import (
    ApplyUncertain,
    ProviderAway,
    ProviderBusy,
    ProviderRefused,
    WrongCredentials,
    ZoneChanged,
)
from homelab_agent.platform.errors import AgentError, Conflict, Failed
from tests.contract.dns_providers.agent_side import bare, created, records
from tests.contract.dns_providers.cases import Case, Table
from tests.contract.dns_providers.place import Subject, Trouble
from tests.contract.dns_providers.subjects import SUBJECTS
from tests.contract.dns_providers.trial import Trial, Trying
from tests.contract.dns_providers.trial import trying as open_trying
from tests.fakes.dns_providers.reach import open_reach


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    assert isinstance(request.param, Subject)
    return request.param


@pytest.fixture
def trying(subject: Subject, table: Table, tmp_path: Path) -> Trying:
    return open_trying(subject, table, tmp_path)


def wanted(trial: Trial, label: str = "new", *, number: int = 0) -> RecordSet:
    """Return a record set that can be made."""
    return records(trial.subject.at(label), trial.kind, trial.subject.values(trial.kind)[number])


async def test_what_is_so_already_is_not_sent_again(trying: Trying) -> None:
    async with trying(Case.ALREADY) as trial:
        plan = await trial.agent.have(wanted(trial))
        asked = trial.place.changes_asked()
        assert asked
        assert not (await trial.agent.plan(wanted(trial))).changes
        await trial.agent.service.write(plan)
        assert trial.place.changes_asked() == asked


async def test_what_somebody_changed_meanwhile_is_not_overwritten(trying: Trying) -> None:
    async with trying(Case.STALE) as trial:
        plan = await trial.agent.plan(wanted(trial))
        await trial.place.put(wanted(trial, number=1))
        before, asked = await trial.place.held(), trial.place.changes_asked()
        with pytest.raises(Conflict) as refused:
            await trial.agent.service.write(plan)
        assert wanted(trial).name in refused.value.message
        assert await trial.place.held() == before
        assert trial.place.changes_asked() == asked


async def test_a_change_in_the_last_moment_is_seen_by_the_provider(trying: Trying) -> None:
    async with trying(Case.STALE_BY_ITSELF) as trial:
        if not trial.capabilities.lists:
            assert trial.lacks("it knows no conditions, and cannot be asked what there is")
            return
        await trial.place.put(wanted(trial, number=1))
        before = await trial.place.held()
        with pytest.raises(ZoneChanged) as refused:
            await trial.agent.apply(created(wanted(trial, "beside")), created(wanted(trial)))
        assert wanted(trial).name in refused.value.message
        assert wanted(trial, number=1).values[0] in refused.value.message
        assert await trial.place.held() == before


async def test_a_plan_of_which_a_part_is_refused_is_not_made_at_all(trying: Trying) -> None:
    async with trying(Case.ALL_OR_NOTHING) as trial:
        if not trial.subject.whole_plans:
            assert not trial.capabilities.atomic
            assert trial.lacks("it takes one change after the other")
            return
        await trial.place.put(wanted(trial, "there"))
        before = await trial.place.held()
        alias = records(trial.subject.at("there"), RecordType.CNAME, f"one.{trial.subject.zone}")
        with pytest.raises((ZoneChanged, ProviderRefused)):
            await trial.agent.apply(created(wanted(trial)), created(alias))
        assert await trial.place.held() == before


async def test_what_was_written_is_taken_back_and_all_is_as_it_was(trying: Trying) -> None:
    async with trying(Case.UNDO) as trial:
        if trial.subject.fixed_name:
            sets = [wanted(trial)]
        else:
            await trial.place.put(wanted(trial, "old").model_copy(update={"ttl_s": 7200}))
            gone = wanted(trial, "old").model_copy(update={"values": ()})
            sets = [wanted(trial), wanted(trial, "more"), gone]
        before = await trial.place.held()
        plan = await trial.agent.have(*sets)
        assert bare(await trial.place.held()) != bare(before)
        for _ in range(2):
            await trial.agent.service.take_back(plan)
            if trial.capabilities.sets_ttl:
                assert await trial.place.held() == before
            assert bare(await trial.place.held()) == bare(before)


async def test_a_wrong_key_is_told_as_such_and_changes_nothing(trying: Trying) -> None:
    async with trying(Case.WRONG_KEY) as trial, open_reach() as reach:
        before = await trial.place.held()
        provider = trial.subject.make(trial.place.wrong_key, reach)
        change = created(wanted(trial))
        assert change is not None
        with pytest.raises(WrongCredentials) as refused:
            await provider.apply(trial.subject.zone, [change])
        assert refused.value.hint
        assert await trial.place.held() == before
        await provider.close()


async def test_a_provider_that_is_away_is_told_as_such(trying: Trying) -> None:
    async with trying(Case.AWAY) as trial:
        await trial.place.go_away()
        with pytest.raises(ProviderAway):
            await trial.agent.apply(created(wanted(trial)))


async def test_a_provider_that_wants_to_be_left_alone_says_for_how_long(trying: Trying) -> None:
    async with trying(Case.BUSY) as trial:
        if trial.missing:
            return
        before = await trial.place.held()
        trial.place.trouble(Trouble.BUSY)
        with pytest.raises(ProviderBusy) as refused:
            await trial.agent.apply(created(wanted(trial)))
        assert (refused.value.retry_after_s or 0) > 0
        assert await trial.place.held() == before


async def test_an_answer_that_is_lost_before_anything_was_done_can_be_tried_again(
    trying: Trying,
) -> None:
    async with trying(Case.CUT_BEFORE) as trial:
        before = await trial.place.held()
        plan = await trial.agent.plan(wanted(trial))
        trial.place.trouble(Trouble.CUT_BEFORE)
        with pytest.raises(ApplyUncertain):
            await trial.agent.service.write(plan)
        assert await trial.place.held() == before
        await trial.agent.service.write(plan)
        assert await trial.now(wanted(trial).name, trial.kind) == wanted(trial).values


async def test_an_answer_that_is_lost_after_it_was_done_is_found_out(trying: Trying) -> None:
    async with trying(Case.CUT_AFTER) as trial:
        trial.place.trouble(Trouble.CUT_AFTER)
        await trial.agent.have(wanted(trial))
        assert await trial.now(wanted(trial).name, trial.kind) == wanted(trial).values
        assert trial.place.changes_asked() == 1


async def test_a_half_that_was_done_is_told_and_taken_back(trying: Trying) -> None:
    async with trying(Case.HALF) as trial:
        if trial.lacks(trial.why_few_names):
            return
        before = await trial.place.held()
        plan = await trial.agent.plan(wanted(trial), wanted(trial, "more"))
        trial.place.trouble(Trouble.HALF)
        with pytest.raises(Failed) as failed:
            await trial.agent.service.write(plan)
        assert "made:" in failed.value.message
        assert bare(await trial.place.held()) != bare(before)
        await trial.agent.service.take_back(plan)
        assert bare(await trial.place.held()) == bare(before)


async def test_a_success_that_is_none_is_found_out(trying: Trying) -> None:
    async with trying(Case.LIES) as trial:
        before = await trial.place.held()
        trial.place.trouble(Trouble.LIES)
        plan = await trial.agent.plan(wanted(trial))
        with pytest.raises((Failed, ApplyUncertain)):
            await trial.agent.service.write(plan)
        assert await trial.place.held() == before


async def test_no_secret_is_in_an_error_or_in_a_log(
    trying: Trying, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("homelab_agent", "asyncio", "aiohttp.client"):
        caplog.set_level(logging.DEBUG, name)
    async with trying(Case.SECRETS) as trial, open_reach() as reach:
        told: list[str] = [repr(trial.place.settings)]
        change = created(wanted(trial))
        assert change is not None

        async def tell(settings: ProviderSettings, trouble: Trouble | None) -> None:
            provider = trial.subject.make(settings, reach)
            if trouble is not None:
                trial.place.trouble(trouble)
            try:
                await provider.apply(trial.subject.zone, [change])
            except AgentError as error:
                told.extend((repr(error), str(error.hint), str(error.extra)))
                told.extend(traceback.format_exception(error))
            await provider.close()

        await tell(trial.place.wrong_key, None)
        for trouble in (Trouble.CUT_BEFORE, Trouble.LIES):
            await tell(trial.place.settings, trouble)
        await trial.place.go_away()
        await tell(trial.place.settings, None)
        (shown,) = trial.agent.service.providers().providers
        told += [shown.model_dump_json(), caplog.text]
        assert len(told) > len(Trouble)
        for secret in trial.place.secrets:
            assert secret not in "\n".join(told)
