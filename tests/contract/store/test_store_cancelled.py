"""Whoever is told to end in the middle of a question leaves no connection behind."""

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import select

from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.tables import meta


async def test_a_question_that_is_given_up_at_any_moment_loses_no_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/homelab.db", tmp_path)
    answered = asyncio.Event()

    async def ask() -> None:
        async with store.read() as connection:
            await connection.execute(select(meta.c.value))
            answered.set()

    for turns in range(40):
        answered.clear()
        asking = asyncio.create_task(ask())
        await answered.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await store.close()
    assert "Exception during reset" not in caplog.text
