import pytest
from sqlalchemy import text

from homelab_agent.areas.certificates.models import Verdict
from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.domains.models import DomainEventType
from homelab_agent.areas.provisioning.models import ProvisionStep
from homelab_agent.areas.renewal.models import HandOver
from homelab_agent.platform.commands import Outcome
from homelab_agent.platform.errors import Conflict, Failed, Unavailable
from homelab_agent.platform.jobs.models import JobState
from tests.fakes.provisioning_bench import IMPATIENT, NAME, PHONE, Bench, start_body
from tests.fakes.provisioning_partners import certificate, hanging, raising
from tests.harness.waiting import wait_until

FAULTS = {
    ProvisionStep.DNS_APPLY: "dns.written",
    ProvisionStep.PROPAGATION: "dns.served",
    ProvisionStep.PROXY_ROUTE: "proxy.prepare",
    ProvisionStep.RELOAD: "proxy.served",
    ProvisionStep.CERTIFICATE: "certificates.obtain",
    ProvisionStep.HTTPS_HEALTH: "front.ask",
}
"""Where each step is hit: after its effect, where it has one."""


@pytest.mark.parametrize("way", ["caddy", "dns_01", "managed"])
async def test_a_container_is_served_and_its_domain_kept_by_each_way_to_a_certificate(
    bench: Bench, way: str
) -> None:
    if way == "managed":
        bench.certificates.kept["own"] = certificate("own", HandOver(), names=(NAME,))

    job = await bench.provision(certificate=way)

    assert job.outcome is Outcome.DONE, job.error
    assert [step.name for step in job.steps] == [step.value for step in ProvisionStep]
    assert bench.dns.records[NAME, RecordType.A].values == ("192.0.2.1",)
    assert bench.proxy.routes_kept[NAME].upstreams == ("127.0.0.1:2342",)
    kept = bench.domains.all[NAME]
    assert kept.provisioned
    assert kept.settings.container == "photos"
    assert bench.domains.jobs[NAME] is None
    assert (await bench.service.get(NAME)).certificate == ("dns_01" if way == "dns_01" else way)


async def test_the_history_of_a_domain_has_a_line_of_each_step(bench: Bench) -> None:
    await bench.provision()

    lines = bench.domains.lines
    steps = [line.step for line in lines if line.type is DomainEventType.STEP]
    assert steps == [step.value for step in ProvisionStep]
    assert lines[-1].type is DomainEventType.PROVISIONED


@pytest.mark.parametrize("way", ["caddy", "dns_01"])
@pytest.mark.parametrize("step", list(FAULTS))
async def test_everything_is_as_before_when_a_step_fails_and_the_job_says_which(
    bench: Bench, step: ProvisionStep, way: str
) -> None:
    if way == "caddy" and step is ProvisionStep.CERTIFICATE:
        bench.front.verdict = Verdict.NO_CERTIFICATE
    bench.dns.records[NAME, RecordType.TXT] = RecordSet(
        name=NAME, type=RecordType.TXT, values=("mine",), ttl_s=60
    )
    before = bench.state()
    bench.faults.at[FAULTS[step]] = raising(Failed("the other side said no", hint="Ask it why."))

    job = await bench.provision(certificate=way)

    assert bench.state() == before
    assert job.outcome is Outcome.UNDONE
    assert job.error is not None
    assert job.error.message.startswith(f"Step {step.value}: ")
    assert job.error.hint
    if way == "dns_01":
        assert "the other side said no" in job.error.message


@pytest.mark.parametrize("step", list(FAULTS))
async def test_a_step_that_hangs_is_given_up_and_taken_back(
    bench: Bench, step: ProvisionStep
) -> None:
    bench.patience = IMPATIENT
    await bench.runner.close()
    bench.started()
    before = bench.state()
    bench.faults.at[FAULTS[step]] = hanging

    job = await bench.provision(certificate="dns_01")

    assert bench.state() == before
    assert job.outcome is Outcome.UNDONE
    assert job.error is not None
    assert job.error.code == "timed_out"
    assert step.value in job.error.message


@pytest.mark.parametrize("step", list(FAULTS))
async def test_an_agent_that_ended_in_a_step_goes_on_with_it(
    bench: Bench, step: ProvisionStep
) -> None:
    bench.patience = bench.patience.__class__()
    await bench.runner.close()
    bench.started()
    bench.faults.at[FAULTS[step]] = hanging
    started = await bench.service.start(start_body(certificate="dns_01"), PHONE)
    assert started.job is not None
    job_id = started.job.id
    await wait_until(lambda: _doing(bench, job_id, step), what=step)
    await bench.runner.close(grace_s=0)

    bench.faults.at.clear()
    await bench.started().recover()
    job = await bench.runner.wait(started.job.id, None)

    assert job.outcome is Outcome.DONE, job.error
    assert bench.domains.all[NAME].provisioned
    # Undone later, it would be as it was before all of it.
    removed = await bench.deprovision(forget=True)
    assert removed.outcome is Outcome.DONE
    assert not any(bench.state().values())


async def test_what_somebody_else_wrote_meanwhile_stays_and_is_told(bench: Bench) -> None:
    theirs = RecordSet(name=NAME, type=RecordType.A, values=("198.51.100.9",), ttl_s=60)

    async def somebody_else() -> None:
        bench.dns.records[NAME, RecordType.A] = theirs
        raise Failed("no")

    bench.faults.at["dns.served"] = somebody_else
    job = await bench.provision()

    assert bench.dns.records[NAME, RecordType.A] == theirs
    assert job.outcome is Outcome.UNDONE
    assert job.message is not None
    assert "Somebody else" in job.message


async def test_taking_back_waits_for_a_server_that_is_away(bench: Bench) -> None:
    before = bench.state()
    bench.faults.at["dns.served"] = raising(Failed("no"))
    bench.faults.at["dns.take_back"] = raising(Unavailable("The server is away."), times=1)

    job = await bench.provision()

    assert job.outcome is Outcome.UNDONE
    assert bench.state() == before


async def test_a_server_that_stays_away_is_named_as_what_is_left(bench: Bench) -> None:
    bench.faults.at["dns.served"] = raising(Failed("no"))
    bench.faults.at["dns.take_back"] = raising(Unavailable("The server is away."))

    job = await bench.provision()

    assert job.outcome is Outcome.FAILED
    assert job.error is not None
    assert "The server is away" in job.error.message
    assert NAME not in bench.proxy.routes_kept


async def test_a_domain_that_is_followed_already_is_followed_again_after_a_failure(
    bench: Bench,
) -> None:
    assert (await bench.provision(ipv4=None, dynamic=True)).outcome is Outcome.DONE
    before = bench.state()
    bench.containers.all["photos"] = bench.containers.all["photos"].model_copy(
        update={
            "ports": (
                bench.containers.all["photos"].ports[0].model_copy(update={"host_port": 9999}),
            )
        }
    )
    bench.front.status = 502

    job = await bench.provision(ipv4=None, dynamic=True)

    assert job.outcome is Outcome.UNDONE
    assert job.error is not None
    assert "no answer from the container" in job.error.message
    assert bench.state() == before


async def test_a_certificate_that_nobody_trusts_is_told_with_the_reason(bench: Bench) -> None:
    bench.front.verdict = Verdict.UNKNOWN_AUTHORITY

    job = await bench.provision()

    assert job.outcome is Outcome.UNDONE
    assert job.error is not None
    assert "unknown_authority" in job.error.message
    assert job.error.hint is not None
    assert "trusted_ca_file" in job.error.hint


async def test_a_password_is_in_no_journal(bench: Bench) -> None:
    password = "very secret indeed"
    users = [{"username": "me", "password": password}]

    job = await bench.provision(basic_auth=users)

    assert job.outcome is Outcome.DONE
    assert bench.proxy.passwords[-1] == password
    async with bench.store.read() as connection:
        rows = (await connection.execute(text("SELECT * FROM job"))).all()
        steps = (await connection.execute(text("SELECT * FROM job_step"))).all()
    assert rows
    assert password not in f"{rows}{steps}"


async def test_who_may_come_in_stays_where_nothing_is_said_of_it(bench: Bench) -> None:
    users = [{"username": "me", "password": "very secret indeed"}]
    await bench.provision(basic_auth=users)

    await bench.provision(options={"hsts_s": 60})

    (route,) = bench.proxy.routes_kept.values()
    assert route.options.hsts_s == 60
    assert [user.username for user in route.users] == ["me"]

    await bench.provision(basic_auth=[])

    (route,) = bench.proxy.routes_kept.values()
    assert not route.users


async def test_only_one_job_is_at_a_domain(bench: Bench) -> None:
    bench.faults.at["dns.served"] = hanging
    first = await bench.service.start(start_body(), PHONE)

    with pytest.raises(Conflict, match="busy"):
        await bench.service.start(start_body(), PHONE)

    assert first.job is not None
    assert first.job.state is JobState.RUNNING


async def _doing(bench: Bench, job_id: str, step: ProvisionStep) -> bool:
    job = await bench.runner.get(job_id)
    return any(each.name == step and each.state == "doing" for each in job.steps)
