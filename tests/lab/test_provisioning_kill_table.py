"""Each step of provisioning, and of the way back, fails, hangs, and loses its agent.

Whatever happens: the zone, Caddy's configuration and the files are as they were before, or the
domain is up as a whole; and the job says which.
"""

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from signal import SIGCONT, SIGSTOP
from typing import Any

import pytest
import pytest_asyncio

from tests.lab.provisioning_faults import Fault, Hit, RealFault
from tests.lab.provisioning_world import QUICK, ZONE, ProvisioningWorld, provisioning_world

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

NAME = f"photos.{ZONE}"
PROVISION = (
    *("validate", "dns_plan", "dns_apply", "propagation"),
    *("proxy_route", "reload", "certificate", "https_health"),
)
DEPROVISION = ("proxy_route", "reload", "dns_plan", "dns_apply", "propagation", "certificate")
"""The steps of the way back that ask anybody; the others change only what the agent keeps."""


STEPS = {"provision": PROVISION, "deprovision": DEPROVISION}


@dataclass(frozen=True)
class Case:
    """A hit at a step of one of the two ways."""

    way: str
    step: str
    hit: Hit


def _cases(way: str, steps: tuple[str, ...]) -> list[Case]:
    hits = [each for each in Hit if each is not Hit.AFTER]
    return [
        *(Case(way, step, hit) for step in steps for hit in hits),
        Case(way, steps[-1], Hit.AFTER),
    ]


PROVISION_CASES = _cases("provision", PROVISION)
DEPROVISION_CASES = _cases("deprovision", DEPROVISION)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProvisioningWorld]:
    async with provisioning_world(tmp_path_factory.mktemp("world"), settings=QUICK) as made:
        yield made


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    rows: list[str] = []
    yield rows
    print("\n| way | step | hit | afterwards | what the job says |")  # noqa: T201
    print("| --- | --- | --- | --- | --- |")  # noqa: T201
    print("\n".join(sorted(rows, key=_order)))  # noqa: T201


async def test_all_is_up_or_as_before_whatever_hits_a_step(
    world: ProvisioningWorld, table: list[str]
) -> None:
    """One domain goes up and down; each way is hit once per case, until all cases are through."""
    down = await world.picture()
    to_provision, to_deprovision = list(PROVISION_CASES), list(DEPROVISION_CASES)
    is_up, wrong = False, list[str]()
    while to_provision or to_deprovision:
        cases = to_deprovision if is_up else to_provision
        case = cases.pop() if cases else None
        before = await world.picture()
        if case is None:
            job = await _unharmed(world, is_up=is_up)
            assert job["outcome"] == "done", job
            is_up = not is_up
            continue
        began = time.monotonic()
        job = await _hit(world, case)
        state, is_up = await _state(world, before, down)
        rows = _rows(case, state, job, time.monotonic() - began)
        table += rows
        print("\n".join(rows), flush=True)  # noqa: T201 - it takes minutes
        if not _fits(case, state, job):
            wrong += rows
            # From something half nothing can be learned of what comes after.
            assert not state.startswith("half"), wrong
    assert not wrong, "\n".join(wrong)


async def _unharmed(world: ProvisioningWorld, *, is_up: bool) -> dict[str, Any]:
    if is_up:
        return await world.ended(await world.deprovision(NAME))
    return await world.ended(await world.provision(NAME, certificate="dns_01"))


async def _hit(world: ProvisioningWorld, case: Case) -> dict[str, Any]:
    fault = Fault(world, NAME, case.step, case.hit, await _real(world, case))
    fault.arm()
    begin = world.provision(NAME, certificate="dns_01")
    if case.way == "deprovision":
        begin.close()
        begin = world.deprovision(NAME)
    job_id = await begin
    await fault.happen()
    return await world.ended(job_id)


async def _real(world: ProvisioningWorld, case: Case) -> RealFault | None:
    """Return the fault of a real part for this case; None: its call is cut off or held."""
    if case.step == "propagation":
        return await _late_server(world, case.hit)
    if case.hit is Hit.FAIL and case.step == "https_health":
        return RealFault(
            lambda: world.docker.stop(world.container), lambda: world.docker.start(world.container)
        )
    if case.hit is Hit.HANG and case.step == "reload":
        return RealFault(lambda: _signal(world.caddy.pid, SIGSTOP), lambda: _resume(world))
    if case.hit is Hit.HANG and case.step == "dns_apply":
        primary = world.knot.primary

        async def pause() -> None:
            primary.pause()

        async def resume() -> None:
            primary.resume()

        return RealFault(pause, resume)
    return None


async def _late_server(world: ProvisioningWorld, hit: Hit) -> RealFault:
    """The second server stays behind, or is gone, from before the job begins."""
    if hit is Hit.FAIL:
        await world.knot.second.stop()
        return RealFault(_nothing, world.knot.second.start, is_watched=True)
    world.knot.transfers.hold()

    async def release() -> None:
        world.knot.transfers.release()

    return RealFault(_nothing, release, is_watched=True)


async def _nothing() -> None:
    """Have done it before."""


async def _signal(pid: int, number: int) -> None:
    os.kill(pid, number)


async def _resume(world: ProvisioningWorld) -> None:
    await _signal(world.caddy.pid, SIGCONT)


async def _state(
    world: ProvisioningWorld, before: dict[str, Any], down: dict[str, Any]
) -> tuple[str, bool]:
    """Return how the world is now, and whether the domain is up."""
    now = await world.picture()
    if now == down:
        return ("as before" if before == down else "down"), False
    served = await world.serves(NAME)
    if before == down:
        whole = served and now["domains"] == [NAME] and now["routes"] == [NAME]
        return ("up" if whole else f"half: {_difference(now, down)}"), served
    if not served:
        return f"half: {_difference(now, down)}", False
    # A certificate that was given away and had to be ordered again is another one.
    kept = {key: now[key] == before[key] for key in ("zone", "domains", "routes")}
    return ("up" if served and all(kept.values()) else f"half: {kept}"), served


def _difference(now: dict[str, Any], before: dict[str, Any]) -> str:
    return ", ".join(f"{key}: {now[key]!r}" for key in now if now[key] != before[key])


def _fits(case: Case, state: str, job: dict[str, Any]) -> bool:
    """Return whether the job says what is."""
    reached = "up" if case.way == "provision" else "down"
    kept = "as before" if case.way == "provision" else "up"
    if job["outcome"] == "done":
        return state == reached
    error = job["error"]
    told = error["message"] and (case.step in error["message"] or case.hit not in _HARMED)
    return job["outcome"] == "undone" and state == kept and bool(told)


_HARMED = (Hit.FAIL, Hit.HANG)


def _rows(case: Case, state: str, job: dict[str, Any], seconds: float) -> list[str]:
    """Return the row of a case; before a step is also after the one before it."""
    said = job["error"]["message"] if job["error"] else job["message"]
    short = " ".join(str(said).split())[:150]
    ending = f"| {state} | {job['outcome']}: {short} ({seconds:.1f} s) |"
    steps = STEPS[case.way]
    rows = [f"| {case.way} | {case.step} | {case.hit.value} {ending}"]
    if case.hit is Hit.BEFORE and case.step != steps[0]:
        earlier = steps[steps.index(case.step) - 1]
        rows.insert(0, f"| {case.way} | {earlier} | {Hit.AFTER.value} {ending}")
    return rows


def _order(row: str) -> tuple[str, int, int]:
    way, step, hit = (each.strip() for each in row.split("|")[1:4])
    return way, STEPS[way].index(step), [each.value for each in Hit].index(hit)
