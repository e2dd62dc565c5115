"""A new container is well when it is, however late Docker says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.areas.recreate.hands import Hands
from homelab_agent.areas.recreate.http_check import HttpCheck
from homelab_agent.areas.recreate.patience import Patience
from homelab_agent.areas.recreate.store import RecreateBook
from homelab_agent.areas.recreate.verification import STABLE_LABEL, STABLE_S, Verification, demands
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.engine.demo.images import DemoImages
from homelab_agent.platform.engine.demo.recreate import DemoRecreate
from homelab_agent.platform.engine.docker.transport import DEADLINE_S
from homelab_agent.platform.engine.models import ContainerState, EngineContainer
from homelab_agent.platform.errors import Failed
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from tests.fakes.late_engine import LateEngine

LATE_S, STABLE_FOR_S = 0.2, 0.1
WATCHED_FROM = 3
"""Before its container is watched, a verification asks about it twice."""


@pytest.fixture
def engine() -> LateEngine:
    labels = {STABLE_LABEL: f"{STABLE_FOR_S}"}
    return LateEngine(late_s=LATE_S, labels=labels, stops_after=WATCHED_FROM)


@pytest.fixture
async def hands(engine: LateEngine, tmp_path: Path) -> AsyncIterator[Hands]:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'homelab.db'}", tmp_path)
    yield Hands(
        containers=engine,
        images=DemoImages(pull_s=0),
        recreate=DemoRecreate(engine),
        guard=lambda _row: None,
        look=engine.inspect,
        injected=_injected_nothing,
        logins=None,
        http=HttpCheck(),
        patience=Patience(engine),
        book=RecreateBook(store, Resources(), utc_now),
        secrets=SecretFilter(),
    )
    await store.close()


async def _injected_nothing(_row: EngineContainer) -> tuple[str, ...]:
    return ()


async def test_a_container_that_ended_before_a_late_answer_arrived_is_not_kept(
    engine: LateEngine, hands: Hands
) -> None:
    row = next(
        row
        for row in await engine.list_containers()
        if row.state is ContainerState.RUNNING and not row.has_health_check
    )
    with pytest.raises(Failed, match="ended with exit code"):
        await Verification(hands, row.id, row.name).run()


def test_a_container_that_runs_well_is_kept_though_docker_is_late_to_say_so() -> None:
    asked = demands({}, None)
    assert asked.limit_s > STABLE_S + DEADLINE_S
