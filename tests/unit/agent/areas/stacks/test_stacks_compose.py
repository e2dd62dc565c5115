"""What stands between a compose text and docker compose."""

from pathlib import Path

import pytest

from homelab_agent.areas.stacks.compose import Compose, Source
from homelab_agent.areas.stacks.compose_process import NoProcess
from homelab_agent.platform.errors import Conflict, Invalid, Unavailable


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


@pytest.mark.parametrize("profile", ["-x", "--host=tcp://elsewhere:2375", "", "a b", "a\n", "**"])
async def test_the_name_of_a_profile_is_never_taken_for_an_option(
    profile: str, tmp_path: Path
) -> None:
    with pytest.raises(Invalid) as refused:
        await Compose(NoProcess(), tmp_path).read(_shop(tmp_path, "debug", profile))
    assert refused.value.field == "profiles[1]"


async def test_names_of_profiles_as_people_choose_them_are_taken(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="demo"):  # compose is asked, and there is none
        await Compose(NoProcess(), tmp_path).read(_shop(tmp_path, "debug", "v1.2_a-b", "*"))


def _shop(folder: Path, *profiles: str) -> Source:
    return Source(
        name="shop",
        text="services: {web: {image: busybox}}",
        environment={},
        profiles=profiles,
        directory=folder / "shop",
        staged=True,
    )
