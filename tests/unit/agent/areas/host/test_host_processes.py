"""Processes: listed without secrets, stopped only by exact name, and never a protected one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from homelab_agent.areas.host.models import (
    ProcessOrder,
    ProcessQuery,
    StopProcessBody,
    StopSignal,
)
from homelab_agent.areas.host.processes import ProcessLister
from homelab_agent.areas.host.stopping import ProcessStopper
from homelab_agent.platform.errors import AgentError, Conflict, Denied, Invalid, NotFound, Protected
from homelab_agent.platform.host.machine import ProcessReading, StopRefused
from tests.clock import HandClock
from tests.fakes.commanded import commanded
from tests.fakes.docker_engine import fake_docker
from tests.fakes.machine import SetMachine

STARTED = datetime(2026, 3, 1, 11, 0, 0, 250_000, tzinfo=UTC)
UNKNOWN_ID = "ab" * 32


def process(pid: int, name: str = "sleep", **more: object) -> ProcessReading:
    reading = ProcessReading(
        pid=pid,
        parent_pid=1,
        name=name,
        command=(name, "1000"),
        user="ada",
        state="sleeping",
        cpu_s=10,
        memory_bytes=50_000_000,
        threads=1,
        started_at=STARTED,
        is_kernel=False,
        container_id=None,
    )
    return replace(reading, **more)  # type: ignore[arg-type]


@dataclass
class Seen:
    """A machine with processes, some of them in containers."""

    machine: SetMachine
    lister: ProcessLister
    stopper: ProcessStopper
    free_id: str
    protected_id: str


@pytest.fixture
async def seen(clock: HandClock, tmp_path: Path) -> AsyncIterator[Seen]:
    machine = SetMachine(clock)
    async with fake_docker() as docker:
        free = docker.add("web")
        protected = docker.add("db", labels={"homelab.protect": "true"})
        async with commanded(docker.url, tmp_path) as agent:
            await agent.live.connected()
            agent.secrets.add("the-agents-own-secret")
            yield Seen(
                machine,
                ProcessLister(machine, agent.service, agent.secrets, lambda: 1_000_000_000),
                ProcessStopper(machine, agent.service),
                free.id,
                protected.id,
            )


def body(signal: StopSignal = StopSignal.TERM, started_at: datetime = STARTED) -> StopProcessBody:
    return StopProcessBody(started_at=started_at, signal=signal)


async def test_the_busiest_or_the_largest_come_first(seen: Seen) -> None:
    seen.machine.running = [process(7), process(8, memory_bytes=90_000_000), process(9)]
    await seen.lister.list(ProcessQuery())
    seen.machine.taken_s += 10
    seen.machine.running[2] = process(9, cpu_s=15)
    by_cpu = await seen.lister.list(ProcessQuery(limit=1))
    assert [(each.pid, each.cpu_percent) for each in by_cpu.processes] == [(9, 50.0)]
    assert by_cpu.total == 3
    by_memory = await seen.lister.list(ProcessQuery(sort=ProcessOrder.MEMORY, limit=1))
    assert [(each.pid, each.memory_percent) for each in by_memory.processes] == [(8, 9.0)]


async def test_a_number_given_anew_does_not_inherit_what_the_other_one_used(seen: Seen) -> None:
    seen.machine.running = [process(7, cpu_s=1000)]
    await seen.lister.list(ProcessQuery())
    seen.machine.taken_s += 10
    seen.machine.running = [process(7, cpu_s=1, started_at=STARTED + timedelta(hours=1))]
    (found,) = (await seen.lister.list(ProcessQuery())).processes
    assert found.cpu_percent is None


async def test_secrets_are_neither_shown_nor_found(seen: Seen) -> None:
    seen.machine.running = [
        process(7, "mysqld", command=("mysqld", "--password=hunter2")),
        process(8, "curl", command=("curl", "http://ada:hunter2@nas/", "the-agents-own-secret")),
    ]
    shown = await seen.lister.list(ProcessQuery())
    assert "hunter2" not in shown.model_dump_json()
    assert "the-agents-own-secret" not in shown.model_dump_json()
    assert (await seen.lister.list(ProcessQuery(search="hunter"))).total == 0
    assert (await seen.lister.list(ProcessQuery(search="MYSQL"))).total == 1
    assert (await seen.lister.list(ProcessQuery(search="--Password="))).total == 1


async def test_a_process_of_a_container_carries_its_key(seen: Seen) -> None:
    seen.machine.running = [
        process(7, container_id=seen.free_id),
        process(8, container_id=UNKNOWN_ID),
    ]
    listed = (await seen.lister.list(ProcessQuery())).processes
    assert {each.pid: each.container for each in listed} == {7: "web", 8: None}


@pytest.mark.parametrize(
    ("signal", "number"), [(StopSignal.TERM, SIGTERM), (StopSignal.KILL, SIGKILL)]
)
async def test_a_listed_process_is_stopped(seen: Seen, signal: StopSignal, number: int) -> None:
    seen.machine.running = [process(77, container_id=seen.free_id)]
    result = await seen.stopper.stop("77", body(signal))
    assert seen.machine.stopped == [(77, number)]
    assert result.message == f"sleep (77) was sent {signal}."


async def test_what_got_the_number_since_is_left_alone(seen: Seen) -> None:
    seen.machine.running = [process(77, started_at=STARTED + timedelta(milliseconds=10))]
    with pytest.raises(NotFound) as refused:
        await seen.stopper.stop("77", body())
    assert refused.value.field == "started_at"
    assert seen.machine.stopped == []


async def test_protected_processes_are_never_stopped(seen: Seen) -> None:
    seen.machine.running = [
        process(1, "systemd", parent_pid=0),
        process(2, "kthreadd", parent_pid=0, is_kernel=True),
        process(50, "homelab-agent"),
        process(51, "tini"),
        process(60, "dockerd"),
        process(70, "postgres", parent_pid=69, container_id=seen.protected_id),
        process(69, "containerd-shim"),
        process(80, "unknown", container_id=UNKNOWN_ID),
    ]
    for each in seen.machine.running:
        with pytest.raises(Protected) as refused:
            await seen.stopper.stop(str(each.pid), body())
        assert await seen.stopper.protected_reason(str(each.pid)) == refused.value.message
    assert seen.machine.stopped == []


async def test_nothing_protects_a_process_that_is_nobodys(seen: Seen) -> None:
    seen.machine.running = [process(77)]
    assert await seen.stopper.protected_reason("77") is None
    assert await seen.stopper.protected_reason("78") is None


@pytest.mark.parametrize("pid", ["0", "-1", "sleep", "7 8", "4194305", "\u0667", "1e3", "1" * 5000])
async def test_a_name_is_no_number(seen: Seen, pid: str) -> None:
    with pytest.raises(Invalid) as refused:
        await seen.stopper.stop(pid, body())
    assert refused.value.field == "pid"


@pytest.mark.parametrize(
    ("refusal", "error", "word"),
    [
        (StopRefused.GONE, NotFound, "ended"),
        (StopRefused.OUT_OF_REACH, Conflict, "container"),
        (StopRefused.NOT_PERMITTED, Denied, "ada"),
    ],
)
async def test_what_cannot_be_done_is_said_in_words(
    seen: Seen, refusal: StopRefused, error: type[AgentError], word: str
) -> None:
    seen.machine.running, seen.machine.refuses = [process(77)], refusal
    with pytest.raises(error) as refused:
        await seen.stopper.stop("77", body())
    assert word in refused.value.message
    assert refused.value.hint
