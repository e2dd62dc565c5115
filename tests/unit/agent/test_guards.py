from pathlib import Path

import pytest
from blockbuster import BlockingError

from homelab_agent.platform.store.schema import SCHEMA
from homelab_agent.platform.store.sqlite_file import SqliteFile


async def test_a_test_fails_when_our_program_blocks_its_loop(tmp_path: Path) -> None:
    with pytest.raises(BlockingError):
        SqliteFile(tmp_path / "folder" / "homelab.db", SCHEMA).prepare()
