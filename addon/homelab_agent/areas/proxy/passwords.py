"""Passwords of basic authentication: hashed at once, sealed at rest, and never shown."""

import os

from homelab_agent.areas.proxy.models import BasicAuthUser, KeptRoute, KeptUser
from homelab_agent.platform.vault import Vault

_PURPOSE = "basic_auth"
_SALT_BYTES = 16
_HASH_BYTES = 32
# As Caddy itself does it: 46 MiB, once.
_ITERATIONS = 1
_LANES = 1
_MEMORY_KIB = 47104


class Passwords:
    """Makes hashes that Caddy takes. Hashing takes tens of milliseconds: call it in a thread."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def keep(
        self, users: tuple[BasicAuthUser, ...], known: tuple[KeptUser, ...]
    ) -> tuple[KeptUser, ...]:
        """Return users with their hashes sealed; who has the password of before stays the same."""
        before = {each.username: each for each in known}
        return tuple(self._kept(each, before.get(each.username)) for each in users)

    def hashes(self, route: KeptRoute) -> dict[str, str]:
        """Return the hash of each user of a route; `SecretUnreadable` without the agent's key."""
        return {each.username: self._vault.open(each.sealed_hash, _PURPOSE) for each in route.users}

    def _kept(self, user: BasicAuthUser, before: KeptUser | None) -> KeptUser:
        password = user.password.get_secret_value().encode()
        if before and _fits(password, self._vault.open(before.sealed_hash, _PURPOSE)):
            return before
        hashed = self._vault.seal(_hashed(password), _PURPOSE)
        return KeptUser(username=user.username, sealed_hash=hashed)


def _hashed(password: bytes) -> str:
    # Only where it is used: nobody else needs passwords to be hashed.
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    return Argon2id(
        salt=os.urandom(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_ITERATIONS,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    ).derive_phc_encoded(password)


def _fits(password: bytes, hashed: str) -> bool:
    from cryptography.exceptions import InvalidKey  # noqa: PLC0415  # as above
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    try:
        Argon2id.verify_phc_encoded(password, hashed)
    except InvalidKey:
        return False
    return True
