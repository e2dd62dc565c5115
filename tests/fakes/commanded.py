"""The containers area with its service and a real journal, on some engine."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from homelab_agent.areas.containers.jobs import ContainerJobs
from homelab_agent.areas.containers.logs import ContainerLogs
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from tests.fakes.watched import Watched, watched


@dataclass
class Commanded:
    """The service, what it publishes, and the runner behind it."""

    service: ContainerService
    logs: ContainerLogs
    live: Watched
    runner: JobRunner
    secrets: SecretFilter


@asynccontextmanager
async def commanded(
    url: str,
    folder: Path,
    *,
    deadline_s: float = 5,
    return_s: float = 10,
    listed: tuple[str, ...] = (),
) -> AsyncIterator[Commanded]:
    """Give the area. Leaving it is a crash for what still runs: its steps are cut off at once."""
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'homelab.db'}", folder)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        protection = Protection(own_id=None, listed=listed)
        live = await stack.enter_async_context(
            watched(url, deadline_s=deadline_s, protection=protection)
        )
        runner = JobRunner(store, live.resources, utc_now, Audit(store, utc_now))
        jobs = ContainerJobs(live.engine, live.refresher, protection, live.state, return_s=return_s)
        for kind in jobs.kinds():
            runner.register(kind)
        stack.push_async_callback(runner.close, 0)
        secrets = SecretFilter()
        service = ContainerService(live.inventory, live.state, runner)
        logs = ContainerLogs(live.engine, service, live.inventory, live.state, secrets)
        yield Commanded(service, logs, live, runner, secrets)
