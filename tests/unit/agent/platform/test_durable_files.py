"""What the agent writes in the place of something else."""

import stat
from pathlib import Path

import pytest

from homelab_agent.platform.durable_files import replace_file, write_new_file

TEXT = "ü = 1\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.txt"
    path.write_text("old")
    path.chmod(0o644)
    return path


def test_the_file_is_its_owners_alone_whatever_was_there(file: Path) -> None:
    replace_file(file, TEXT)
    assert file.read_text(encoding="utf-8") == TEXT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_half_a_file_of_who_was_cut_off_is_in_nobodys_way(file: Path) -> None:
    half = file.with_name("settings.txt.new")
    half.write_text("ü =")
    half.chmod(0o444)
    replace_file(file, TEXT)
    assert file.read_text(encoding="utf-8") == TEXT


def test_a_link_that_somebody_left_leads_nothing_elsewhere(file: Path) -> None:
    elsewhere = file.with_name("elsewhere")
    elsewhere.write_text("mine")
    file.with_name("settings.txt.new").symlink_to(elsewhere)
    replace_file(file, TEXT)
    assert (elsewhere.read_text(), file.read_text(encoding="utf-8")) == ("mine", TEXT)
    with pytest.raises(FileExistsError):
        write_new_file(file, "other", 0o600)


def test_what_cannot_be_written_leaves_what_was_there_and_is_named(file: Path) -> None:
    file.with_name("settings.txt.new").mkdir()
    with pytest.raises(OSError, match=r"settings\.txt\.new"):
        replace_file(file, TEXT)
    assert file.read_text() == "old"
