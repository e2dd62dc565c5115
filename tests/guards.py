"""Fixtures that let a test fail for what nobody would see: a blocked loop, a task left running."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import blockbuster_ctx

from tests.harness.waiting import wait_until

MAY_BLOCK = (
    # SQLAlchemy makes a path absolute when an engine is made: once, at the start.
    ("sqlalchemy/dialects/sqlite/pysqlite.py", "create_connect_args"),
    # asyncpg looks for certificates in the home folder before it connects.
    ("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args"),
    # Alembic reads its scripts while it holds PostgreSQL's connection; nothing is served yet then.
    ("store/migrate.py", "migrate"),
)


@pytest.fixture(autouse=True)
def unblocked_loop() -> Iterator[None]:
    # Found wherever our program stands in the stack; a test may read its own files.
    with blockbuster_ctx(["homelab_agent"]) as blockbuster:
        for function in blockbuster.functions.values():
            for file, name in MAY_BLOCK:
                function.can_block_in(file, name)
        yield


@pytest.fixture(autouse=True)
async def nothing_left_running() -> AsyncIterator[None]:
    yield
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not own and not task.done()]
    for task in left:
        task.cancel()
    assert not left, f"still running after the test: {left}"


@pytest.fixture(autouse=True)
async def no_file_left_open() -> AsyncIterator[None]:
    yield
    # A connection that could not be made ends its thread in its own time, and tells the loop then.
    await wait_until(_no_file_is_open, what="the end of all connections to a SQLite file")


async def _no_file_is_open() -> bool:
    names = (thread.name for thread in threading.enumerate())
    return not any("_connection_worker_thread" in name for name in names)
