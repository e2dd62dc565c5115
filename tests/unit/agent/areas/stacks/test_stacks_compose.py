"""What stands between a compose text and docker compose."""

from pathlib import Path

import pytest

from homelab_agent.areas.stacks.compose import Compose, Source
from homelab_agent.areas.stacks.compose_process import NoProcess
from homelab_agent.platform.errors import Unavailable


async def test_a_disk_that_takes_no_files_is_named_and_is_no_mistake_of_the_agent(
    tmp_path: Path,
) -> None:
    in_the_way = tmp_path / "compose"
    in_the_way.write_text("a file where the folder should be")
    source = Source(
        name="shop",
        text="services: {web: {image: busybox}}",
        environment={},
        profiles=(),
        directory=tmp_path,
        staged=False,
    )
    with pytest.raises(Unavailable, match="cannot be looked at here"):
        await Compose(NoProcess(), in_the_way).read(source)
