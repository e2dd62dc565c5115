"""Secrets at rest: what somebody loses whose store, or whose key, falls into other hands."""

import base64
import stat
from pathlib import Path

import pytest

from homelab_agent.platform.errors import SettingsError
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.vault import KEY_FILE, SecretUnreadable, open_vault

SECRET = "a-token-of-somebody"


def test_what_was_sealed_is_opened_again_after_a_restart(tmp_path: Path) -> None:
    sealed = open_vault(tmp_path, None, SecretFilter()).seal(SECRET, "dns provider home")
    assert SECRET not in sealed
    again = open_vault(tmp_path, None, SecretFilter())
    assert again.open(sealed, "dns provider home") == SECRET


def test_what_was_opened_is_masked_in_every_log(tmp_path: Path) -> None:
    sealed = open_vault(tmp_path, None, SecretFilter()).seal(SECRET, "one")
    secrets = SecretFilter()
    open_vault(tmp_path, None, secrets).open(sealed, "one")
    assert secrets.mask(f"refused: {SECRET}") == "refused: ***"


def test_a_secret_is_not_moved_to_another_provider_by_who_may_write_to_the_store(
    tmp_path: Path,
) -> None:
    vault = open_vault(tmp_path, None, SecretFilter())
    with pytest.raises(SecretUnreadable, match="of two"):
        vault.open(vault.seal(SECRET, "one"), "two")


@pytest.mark.parametrize("sealed", ["", "v1:", "v1:AAAA", "nonsense", "v1:" + "A" * 80])
def test_a_damaged_store_is_told_and_not_taken_for_a_secret(tmp_path: Path, sealed: str) -> None:
    with pytest.raises(SecretUnreadable):
        open_vault(tmp_path, None, SecretFilter()).open(sealed, "one")


def test_a_copy_of_the_store_without_the_key_opens_nothing(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    sealed = open_vault(here, None, SecretFilter()).seal(SECRET, "one")
    with pytest.raises(SecretUnreadable):
        open_vault(there, None, SecretFilter()).open(sealed, "one")


def test_nobody_else_reads_the_key(tmp_path: Path) -> None:
    open_vault(tmp_path, None, SecretFilter())
    key = tmp_path / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    with pytest.raises(SettingsError, match="read by others"):
        open_vault(tmp_path, None, SecretFilter())


def test_a_start_that_was_cut_off_while_making_the_key_does_not_stop_the_next(
    tmp_path: Path,
) -> None:
    (tmp_path / f"{KEY_FILE}.new").write_text("half")
    vault = open_vault(tmp_path, None, SecretFilter())
    assert vault.open(vault.seal(SECRET, "one"), "one") == SECRET


def test_a_key_of_ones_own_is_used_and_none_is_made(tmp_path: Path) -> None:
    own = tmp_path / "mine"
    own.write_bytes(base64.b64encode(b"k" * 32) + b"\n")
    own.chmod(0o600)
    sealed = open_vault(tmp_path, own, SecretFilter()).seal(SECRET, "one")
    assert open_vault(tmp_path, own, SecretFilter()).open(sealed, "one") == SECRET
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("text", ["", "short", "not base64 at all!", "A" * 44])
def test_a_key_file_without_a_key_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    own = tmp_path / "mine"
    own.write_text(text)
    own.chmod(0o600)
    with pytest.raises(SettingsError) as refused:
        open_vault(tmp_path, own, SecretFilter())
    assert refused.value.field == "secrets_key_file"
    assert "openssl rand" in str(refused.value.hint)


def test_a_key_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        open_vault(tmp_path, tmp_path / "gone", SecretFilter())
    assert not (tmp_path / "gone").exists()
