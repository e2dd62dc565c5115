from dataclasses import replace

import pytest

from homelab_agent.areas.ddns.models import DynamicAddressBody
from homelab_agent.areas.dns.models import RecordType
from homelab_agent.areas.domains.models import DomainEventType, FoundRecords
from homelab_agent.areas.provisioning.models import DeprovisionBody, DeprovisionStep
from homelab_agent.areas.renewal.models import HandOver
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import Failed, NotFound
from tests.fakes.provisioning_bench import NAME, PHONE, Bench
from tests.fakes.provisioning_partners import certificate, hanging, raising
from tests.harness.waiting import wait_until

FAULTS = {
    DeprovisionStep.PROXY_ROUTE: "proxy.prepare",
    DeprovisionStep.RELOAD: "proxy.done",
    DeprovisionStep.DYNAMIC_ADDRESS: "dynamic.remove",
    DeprovisionStep.DNS_PLAN: "dns.plan",
    DeprovisionStep.DNS_APPLY: "dns.written",
    DeprovisionStep.PROPAGATION: "dns.served",
    DeprovisionStep.CERTIFICATE: "certificates.discard",
}
"""Where each step is hit: after its effect, where it has one."""


async def _up(bench: Bench, **changes: object) -> None:
    wanted = {"ipv4": None, "dynamic": True, "certificate": "dns_01"} | changes
    job = await bench.provision(**wanted)
    assert job.outcome is Outcome.DONE, job.error


@pytest.mark.parametrize("step", [each for each in FAULTS if each is not DeprovisionStep.DNS_PLAN])
async def test_a_domain_stays_up_as_a_whole_when_a_step_back_fails(
    bench: Bench, step: DeprovisionStep
) -> None:
    await _up(bench)
    before = bench.state()
    bench.faults.at[FAULTS[step]] = raising(Failed("the other side said no"))

    job = await bench.deprovision()

    assert bench.state() == before
    assert job.outcome is Outcome.UNDONE
    assert job.error is not None
    assert job.error.message.startswith(f"Step {step.value}: ")


@pytest.mark.parametrize("step", list(FAULTS))
async def test_an_agent_that_ended_on_the_way_back_goes_on_with_it(
    bench: Bench, step: DeprovisionStep
) -> None:
    bench.patience = bench.patience.__class__()
    await bench.runner.close()
    bench.started()
    await _up(bench)
    met: list[bool] = []

    async def hang_in_the_job() -> None:
        # The plan before the job asks the DNS, too, and shall not hang.
        if await _doing():
            met.append(True)
            await hanging()

    async def _doing() -> bool:
        jobs = await bench.runner.page(limit=1)
        return any(each.name == step and each.state == "doing" for each in jobs[0].steps)

    async def _met() -> bool:
        return bool(met)

    bench.faults.at[FAULTS[step]] = hang_in_the_job
    started = await bench.service.remove(NAME, DeprovisionBody(forget=True, wait_s=0), PHONE)
    assert started.job is not None
    await wait_until(_met, what=step)
    await bench.runner.close(grace_s=0)

    bench.faults.at.clear()
    await bench.started().recover()
    job = await bench.runner.wait(started.job.id, None)

    assert job.outcome is Outcome.DONE, job.error
    assert not any(bench.state().values())


async def test_a_domain_is_kept_without_addresses_unless_it_is_to_be_forgotten(
    bench: Bench,
) -> None:
    await _up(bench, ipv4="192.0.2.1", dynamic=False)

    await bench.deprovision()

    kept = bench.domains.all[NAME]
    assert not kept.provisioned
    assert kept.settings.records == ()
    assert bench.dns.records == {}
    assert bench.domains.lines[-1].type is DomainEventType.DEPROVISIONED


async def test_a_domain_can_be_taken_back_though_its_provider_was_removed(bench: Bench) -> None:
    await _up(bench, ipv4="192.0.2.1", dynamic=False, provider="old")
    bench.dns.gone.add("old")

    with pytest.raises(NotFound) as refused:
        await bench.deprovision()
    assert "keep_records" in str(refused.value.hint)
    job = await bench.deprovision(keep_records=True)

    assert job.outcome is Outcome.DONE
    assert bench.domains.all[NAME].settings.provider is None
    assert NAME not in bench.proxy.routes_kept


async def test_records_stay_where_that_is_wanted(bench: Bench) -> None:
    await _up(bench, ipv4="192.0.2.1", dynamic=False)

    await bench.deprovision(keep_records=True)

    assert bench.dns.records[NAME, RecordType.A].values == ("192.0.2.1",)
    assert [each.type.value for each in bench.domains.all[NAME].settings.records] == ["A"]
    assert NAME not in bench.proxy.routes_kept


async def test_a_record_that_somebody_else_changed_since_stays_and_is_told(bench: Bench) -> None:
    bench.hold("192.0.2.7")
    await _up(bench, ipv4="192.0.2.1", dynamic=False)
    theirs = bench.hold("198.51.100.9")
    aaaa = bench.hold("2001:db8::9", RecordType.AAAA)

    job = await bench.deprovision(forget=True)

    assert job.outcome is Outcome.DONE
    assert bench.dns.records == {(NAME, RecordType.A): theirs, (NAME, RecordType.AAAA): aaaa}
    assert job.message is not None
    assert "A 198.51.100.9 was written by somebody else, and stays." in job.message
    assert "AAAA 2001:db8::9 was written by somebody else, and stays." in job.message
    assert any("198.51.100.9" in (line.message or "") for line in bench.domains.lines)


async def test_a_record_that_was_there_just_the_same_stays_and_is_told(bench: Bench) -> None:
    there = bench.hold("192.0.2.1")
    await _up(bench, ipv4="192.0.2.1", dynamic=False)
    # Whatever is changed about it later, it was there before.
    await _up(bench, ipv4="192.0.2.1", dynamic=False, certificate="caddy")

    job = await bench.deprovision()

    assert bench.dns.records == {(NAME, RecordType.A): there}
    assert "A 192.0.2.1 was there before, and stays." in str(job.message)
    assert [each.type.value for each in bench.domains.all[NAME].settings.records] == ["A"]
    assert bench.domains.all[NAME].found == FoundRecords()


async def test_a_record_that_led_elsewhere_before_leads_there_again(bench: Bench) -> None:
    before = bench.hold("192.0.2.7")
    await _up(bench, ipv4="192.0.2.1", dynamic=False)
    await _up(bench, ipv4="192.0.2.2", dynamic=False)
    assert bench.dns.records[NAME, RecordType.A].values == ("192.0.2.2",)

    job = await bench.deprovision()

    assert bench.dns.records == {(NAME, RecordType.A): before}
    assert "A 192.0.2.7 is there again, as before." in str(job.message)
    assert bench.domains.all[NAME].settings.records == ()


async def test_a_record_that_was_the_same_and_was_changed_by_a_second_time_comes_back(
    bench: Bench,
) -> None:
    before = bench.hold("192.0.2.1")
    await _up(bench, ipv4="192.0.2.1", dynamic=False)
    await _up(bench, ipv4="192.0.2.2", dynamic=False, ipv6="2001:db8::2")
    await _up(bench, ipv4="192.0.2.2", dynamic=False)

    await bench.deprovision()

    assert bench.dns.records == {(NAME, RecordType.A): before}


async def test_a_name_that_followed_the_address_before_goes_on_with_that(bench: Bench) -> None:
    await bench.dynamic.add(DynamicAddressBody(name=NAME), "phone", admin=False)
    there = bench.hold("203.0.113.7")
    await _up(bench)

    job = await bench.deprovision()

    assert bench.dns.records == {(NAME, RecordType.A): there}
    assert bench.dynamic.find(NAME) is not None
    assert "was there before, and stays" in str(job.message)


@pytest.mark.parametrize("step", [DeprovisionStep.DNS_APPLY, DeprovisionStep.CERTIFICATE])
async def test_what_was_there_before_is_still_known_when_the_way_back_failed(
    bench: Bench, step: DeprovisionStep
) -> None:
    before = bench.hold("192.0.2.7")
    await _up(bench, ipv4="192.0.2.1", dynamic=False)
    bench.faults.at[FAULTS[step]] = raising(Failed("the other side said no"))
    assert (await bench.deprovision()).outcome is Outcome.UNDONE
    assert bench.dns.records[NAME, RecordType.A].values == ("192.0.2.1",)
    bench.faults.at.clear()

    await bench.deprovision(forget=True)

    assert bench.dns.records == {(NAME, RecordType.A): before}


async def test_a_certificate_that_was_handed_over_is_taken_from_the_proxy_again(
    bench: Bench,
) -> None:
    bench.certificates.kept["wild"] = certificate("wild", HandOver(), names=(NAME,))
    before = dict(bench.certificates.kept)
    await _up(bench, certificate="managed")
    assert bench.certificates.kept["wild"].hand_over.caddy

    await bench.deprovision()

    assert bench.certificates.kept == before


async def test_a_renewal_that_is_just_going_on_does_not_keep_a_domain_up(bench: Bench) -> None:
    bench.patience = replace(bench.patience, step_s=0.2, certificate_s=30)
    await bench.runner.close()
    bench.started()
    await _up(bench)
    tries: list[None] = []

    async def renewing() -> None:
        tries.append(None)
        if len(tries) < 3:
            await hanging()

    bench.faults.at["certificates.discard"] = renewing

    job = await bench.deprovision(forget=True)

    assert job.outcome is Outcome.DONE, job.error
    assert not any(bench.state().values())


async def test_a_certificate_of_a_domain_that_caddy_got_its_own_for_since_goes_too(
    bench: Bench,
) -> None:
    await _up(bench, dynamic=False, ipv4="192.0.2.1")
    await _up(bench, dynamic=False, ipv4="192.0.2.1", certificate="caddy")
    assert bench.certificates.kept

    await bench.deprovision(forget=True)

    assert not bench.certificates.kept


async def test_the_certificate_of_a_domain_goes_though_a_wildcard_came_after_it(
    bench: Bench,
) -> None:
    await _up(bench, dynamic=False, ipv4="192.0.2.1")
    wild = certificate("wild", HandOver(caddy=True), names=(NAME, "files.home.example"))
    bench.certificates.kept["wild"] = wild
    # Who asks for one of its own has it, whatever else is good for the name.
    await _up(bench, dynamic=False, ipv4="192.0.2.1")

    await bench.deprovision()

    assert bench.certificates.kept == {"wild": wild}


async def test_a_certificate_that_another_domain_needs_stays_with_the_proxy(bench: Bench) -> None:
    other = "files.home.example"
    bench.certificates.kept["wild"] = certificate("wild", HandOver(), names=(NAME, other))
    await _up(bench, certificate="managed", dynamic=False, ipv4="192.0.2.1")
    await _up(bench, certificate="managed", dynamic=False, ipv4="192.0.2.1", name=other)

    await bench.deprovision()

    assert bench.certificates.kept["wild"].hand_over.caddy
