"""Secrets of others, kept encrypted at rest: what a provider was opened with, keys of accounts.

Whoever has only the store, or a copy of it, has nothing: the key is in a file beside it (0600), or
wherever `secrets_key_file` says.
"""

import base64
import os
import secrets as random
from pathlib import Path
from typing import TYPE_CHECKING

from homelab_agent.platform.durable_files import replace_file
from homelab_agent.platform.errors import SettingsError, Unavailable
from homelab_agent.platform.secrets import SHORTEST_SECRET, SecretFilter

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE = "secrets.key"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_PREFIX = "v1:"
_OTHERS_READ = 0o077


class SecretUnreadable(Unavailable):
    """What was sealed cannot be opened: by another key, for another purpose, or damaged."""

    def __init__(self, purpose: str) -> None:
        super().__init__(
            f"The secret of {purpose} cannot be opened with the agent's key.",
            hint=f"Put the key file ({KEY_FILE}) of before back, or give the secret anew.",
        )


class Vault:
    """Seals and opens secrets. What was opened is masked in everything that is written."""

    def __init__(self, key: bytes, secrets: SecretFilter) -> None:
        self._key = key
        self._secrets = secrets

    def seal(self, secret: str, purpose: str) -> str:
        """Return `secret` encrypted. Only the same `purpose`, as a provider's key, opens it."""
        self._hide(secret)
        nonce = random.token_bytes(_NONCE_BYTES)
        sealed = _cipher(self._key).encrypt(nonce, secret.encode(), purpose.encode())
        return _PREFIX + base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """Return the secret.

        Raises:
            SecretUnreadable: it was sealed with another key or for another purpose.
        """
        # Only where there is a secret: it costs some megabytes.
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            raw = base64.urlsafe_b64decode(sealed.removeprefix(_PREFIX))
            secret = (
                _cipher(self._key)
                .decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
                .decode()
            )
        except (InvalidTag, ValueError) as error:
            raise SecretUnreadable(purpose) from error
        self._hide(secret)
        return secret

    def mask(self, text: str) -> str:
        """Return `text`, as of a stranger, without any secret that was sealed or opened here."""
        return self._secrets.mask(text)

    def _hide(self, secret: str) -> None:
        if len(secret) >= SHORTEST_SECRET:
            self._secrets.add(secret)


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def open_vault(data_dir: Path, key_file: Path | None, secrets: SecretFilter) -> Vault:
    """Return the vault of this agent; its key is made on first use where none is supplied.

    Raises:
        SettingsError: the key file cannot be used.
    """
    file = key_file or data_dir / KEY_FILE
    try:
        text = _read(file) if key_file else _read_or_make(file)
    except OSError as error:
        raise SettingsError(
            f"The key file {file} cannot be read: {error.strerror}",
            field="secrets_key_file",
            hint="It is a file of the agent's own user, with 32 random bytes in base64.",
        ) from error
    return Vault(_key_of(text, file), secrets)


def _read(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        if os.fstat(opened.fileno()).st_mode & _OTHERS_READ:
            raise SettingsError(
                f"The key file {file} can be read by others than the agent.",
                field="secrets_key_file",
                hint=f"chmod 600 {file}",
            )
        return opened.read()


def _read_or_make(file: Path) -> str:
    try:
        return _read(file)
    except FileNotFoundError:
        text = base64.urlsafe_b64encode(random.token_bytes(_KEY_BYTES)).decode()
    replace_file(file, text)
    return text


def _key_of(text: str, file: Path) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text.strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(
            f"The key file {file} does not hold a key.",
            field="secrets_key_file",
            hint=f"It is {_KEY_BYTES} random bytes in base64, as `openssl rand -base64 32` prints.",
        )
    return key
