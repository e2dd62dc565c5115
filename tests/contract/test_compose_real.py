"""What the agent relies on in the real docker compose; no engine is needed for any of it."""

from pathlib import Path

import pytest

from homelab_agent.areas.stacks.compose import Compose, Source
from homelab_agent.areas.stacks.compose_process import ComposeProcess
from homelab_agent.areas.stacks.environment_file import written
from homelab_agent.platform.errors import Invalid


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    process = ComposeProcess("unix:///nowhere.sock", tmp_path / "docker")
    return Compose(process, tmp_path / "work")


def source(folder: Path, text: str, **environment: str) -> Source:
    """Return a stack of the agent's own folder."""
    return Source(
        name="shop",
        text=text,
        environment=environment,
        profiles=(),
        directory=folder / "shop",
        staged=True,
    )


VALUES = {
    "A": "a$b",
    "B": "it's",
    "C": 'say "hi"',
    "D": "back\\slash",
    "E": "two\nlines",
    "F": " # no comment ",
    "G": "${X:-y}",
    "H": "a'b\"c$d\\e\nf",
    "I": "",
    "J": "\u00fcn\u00ef",
    "K": "\\n",
    "L": "'",
    "M": "ends with \\",
}


async def test_every_value_reaches_a_service_exactly_as_it_was_given(
    compose: Compose, tmp_path: Path
) -> None:
    lines = "".join(f"\n      X{name}: ${{{name}}}" for name in VALUES)
    text = f"services:\n  web:\n    image: a\n    env_file: .env\n    environment:{lines}\n"
    reading = await compose.read(source(tmp_path, text, **VALUES))
    services = reading.model["services"]
    assert isinstance(services, dict)
    web = services["web"]
    assert isinstance(web, dict)
    found = web["environment"]
    assert isinstance(found, dict)
    for name, value in VALUES.items():
        # Read once more by compose, $$ is one $.
        assert str(found[name]).replace("$$", "$") == value
        assert str(found[f"X{name}"]).replace("$$", "$") == value


async def test_relative_paths_mean_the_stacks_own_folder_and_hashes_do_not_change(
    compose: Compose, tmp_path: Path
) -> None:
    text = "services: {web: {image: a, volumes: ['./data:/data']}}"
    first = await compose.read(source(tmp_path, text))
    second = await compose.read(source(tmp_path, text))
    assert str(tmp_path / "shop" / "data") in first.shown
    assert (first.digest, first.hashes) == (second.digest, second.hashes)
    assert not list((tmp_path / "work").iterdir())


async def test_a_file_of_the_stacks_folder_is_read_and_a_link_out_of_it_is_not(
    compose: Compose, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "app.env").write_text("COLOUR=blue\n")
    text = "services: {web: {image: a, env_file: [app.env]}}"
    assert "COLOUR: blue" in (await compose.read(source(tmp_path, text))).shown

    (folder / "app.env").unlink()
    (tmp_path / "elsewhere").write_text(written({"COLOUR": "red"}))
    (folder / "app.env").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid) as refused:
        await compose.read(source(tmp_path, text))
    assert refused.value.field == "services.web.env_file[0]"


async def test_a_file_that_is_missing_is_named_where_it_should_lie(
    compose: Compose, tmp_path: Path
) -> None:
    text = "services: {web: {image: a, env_file: [app.env]}}"
    with pytest.raises(Invalid, match="not found") as refused:
        await compose.read(source(tmp_path, text))
    assert str(tmp_path / "shop" / "app.env") in refused.value.message
    assert str(tmp_path / "work") not in refused.value.message
