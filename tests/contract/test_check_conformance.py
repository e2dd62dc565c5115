"""What every kind of check promises, whatever is at the other side."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from homelab_agent.areas.monitors.check_settings import CheckType
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.registry import Checks
from homelab_agent.platform.outbound.connections import Outbound, open_outbound
from homelab_agent.platform.settings import Settings
from tests.contract.check_parts import checks_with_a_container
from tests.contract.check_subjects import SAMPLES, SECRET, SUBJECTS, Case, garbled
from tests.fakes.services.faults import says_and_ends
from tests.fakes.services.server import own_sockets, serving
from tests.fakes.tls_servers import Authority, make_authority
from tests.harness.waiting import wait_until

TIMEOUT_S = 0.6
LATE_S = 15
"""How much later than its deadline a check may end on a machine with much to do."""

ENOUGH_S = 20.0
GARBLED_ANSWERS = 60

CASES = [
    pytest.param(kind, case, id=f"{kind.value}-{case.value}")
    for kind, subject in SUBJECTS.items()
    for case in subject.expected
]
WITH_A_SERVER = [kind for kind, subject in SUBJECTS.items() if Case.HANGS in subject.expected]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture
def context(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(authority.issue("127.0.0.1").write(tmp_path))
    return made


@pytest.fixture
def outbound() -> Outbound:
    return open_outbound(Settings())


@pytest.fixture
async def checks(outbound: Outbound, authority: Authority, tmp_path: Path) -> AsyncIterator[Checks]:
    trusted = tmp_path / "authorities.pem"
    trusted.write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    async with checks_with_a_container(outbound, trusted, tmp_path) as made:
        yield made


def test_no_kind_of_check_and_no_case_is_forgotten() -> None:
    assert set(SUBJECTS) == set(CheckType)
    for subject in SUBJECTS.values():
        assert set(subject.expected) | set(subject.never) == set(Case)
        assert not set(subject.expected) & set(subject.never)


@pytest.mark.parametrize(("kind", "case"), CASES)
async def test_what_is_wrong_is_said_in_time_in_a_word_and_in_a_sentence(
    checks: Checks, context: ssl.SSLContext, kind: CheckType, case: Case
) -> None:
    subject = SUBJECTS[kind]
    expected = subject.expected[case]
    timeout_s = TIMEOUT_S if expected is CheckCode.TIMED_OUT else ENOUGH_S
    loop = asyncio.get_running_loop()
    async with subject.serve(case, context) as place:
        settings = subject.settings(place.host, place.port)
        began = loop.time()
        outcome = await checks.run(settings, timeout_s, allow_guarded=False)
        assert loop.time() - began < timeout_s + LATE_S
        assert outcome.known
        assert (outcome.ok, outcome.code) == (expected is None, expected), outcome
        assert (outcome.reason is None) == outcome.ok
        assert_no_secret(outcome, checks.target(settings))
        if outcome.reason is not None:
            assert outcome.reason.endswith((".", "?"))
        await wait_until(lambda: _holds(place.open() == 0), what="the check to have hung up")


@pytest.mark.parametrize("kind", WITH_A_SERVER)
async def test_a_check_that_is_cancelled_leaves_nothing_behind(
    checks: Checks, context: ssl.SSLContext, kind: CheckType
) -> None:
    subject = SUBJECTS[kind]
    async with subject.serve(Case.HANGS, context) as place:
        before = own_sockets()
        running = asyncio.create_task(
            checks.run(subject.settings(place.host, place.port), ENOUGH_S, allow_guarded=False)
        )
        await wait_until(lambda: _holds(place.came() > 0), what="the check to ask")
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert running.cancelled()
        await wait_until(
            lambda: _holds(place.open() == 0 and own_sockets() <= before),
            what="its socket to be closed",
        )


@pytest.mark.parametrize("kind", WITH_A_SERVER)
async def test_a_guarded_place_gets_no_packet_unless_an_admin_allows_it(
    checks: Checks, outbound: Outbound, context: ssl.SSLContext, kind: CheckType
) -> None:
    subject = SUBJECTS[kind]
    async with subject.serve(Case.RIGHT, context) as place:
        outbound.guard.keep("a door of ours", "127.0.0.1", place.port)
        settings = subject.settings(place.host, place.port)
        refused = await checks.run(settings, ENOUGH_S, allow_guarded=False)
        assert (refused.ok, refused.code, place.came()) == (False, CheckCode.GUARDED, 0)
        assert "a door of ours" in (refused.reason or "")
        allowed = await checks.run(settings, ENOUGH_S, allow_guarded=True)
        assert allowed.ok, allowed
        await wait_until(lambda: _holds(place.came() > 0), what="the server to see it")


@pytest.mark.parametrize("kind", [*WITH_A_SERVER, CheckType.PING])
async def test_cloud_metadata_is_not_asked(checks: Checks, kind: CheckType) -> None:
    settings = SUBJECTS[kind].settings("169.254.169.254", 80)
    outcome = await checks.run(settings, ENOUGH_S, allow_guarded=False)
    assert outcome.code == CheckCode.GUARDED


def assert_no_secret(outcome: CheckOutcome, target: str) -> None:
    assert SECRET not in repr(outcome)
    assert SECRET not in target


async def _holds(holds: bool) -> bool:  # noqa: FBT001
    return holds


@pytest.mark.parametrize("kind", SAMPLES)
async def test_no_answer_is_a_mistake_of_ours_however_garbled(
    checks: Checks, kind: CheckType
) -> None:
    # The same ones every time.
    chance = random.Random(kind.value)  # noqa: S311  # nobody is to be kept from guessing

    async def ask(answer: bytes) -> None:
        async with serving(says_and_ends(answer)) as service:
            settings = SUBJECTS[kind].settings(service.host, service.port)
            outcome = await checks.run(settings, TIMEOUT_S, allow_guarded=False)
            assert outcome.ok or outcome.code in set(CheckCode)

    answers = [garbled(chance.choice(SAMPLES[kind]), chance) for _ in range(GARBLED_ANSWERS)]
    await asyncio.gather(*map(ask, answers))
