from pathlib import Path

import pytest

from homelab_agent.address_file import read_address, write_address
from homelab_agent.platform.errors import SettingsError

URL = "http://127.0.0.1:8099"


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Return a folder whose disk takes no more."""
    (tmp_path / "address.new").symlink_to("/dev/full")
    return tmp_path


def test_an_agent_starts_on_a_full_disk_and_nobody_is_sent_to_where_it_was_before(
    full: Path,
) -> None:
    (full / "address").write_text("http://127.0.0.1:4711\n")

    write_address(full, URL)

    assert read_address(full) is None


def test_on_a_full_disk_an_agent_is_found_where_it_was_before(full: Path) -> None:
    (full / "address").write_text(f"{URL}\n")

    write_address(full, URL)

    assert read_address(full) == URL


def test_a_data_folder_that_takes_no_address_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"address\.new cannot be written: No such file"):
        write_address(tmp_path / "gone", URL)
