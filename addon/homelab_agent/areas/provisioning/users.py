"""Passwords and headers that are secrets: sealed before they are journaled, opened for a route."""

from homelab_agent.areas.provisioning.arguments import SealedUser
from homelab_agent.areas.proxy.models import BasicAuthUser, RouteOptions
from homelab_agent.platform.vault import Vault


class Users:
    """Seals and opens them, each for the one domain that they were given for."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def sealed(
        self, name: str, users: tuple[BasicAuthUser, ...] | None
    ) -> tuple[SealedUser, ...] | None:
        """Return users as they may be written down; None: they stay as they are."""
        if users is None:
            return None
        return tuple(
            SealedUser(
                username=each.username,
                sealed=self._vault.seal(each.password.get_secret_value(), _purpose(name)),
            )
            for each in users
        )

    def opened(
        self, name: str, users: tuple[SealedUser, ...] | None
    ) -> tuple[BasicAuthUser, ...] | None:
        """Return users as the proxy is told them.

        Raises:
            SecretUnreadable: the agent's key is another one by now.
        """
        if users is None:
            return None
        return tuple(
            BasicAuthUser.model_validate(
                {
                    "username": each.username,
                    "password": self._vault.open(each.sealed, _purpose(name)),
                }
            )
            for each in users
        )

    def sealed_options(self, name: str, options: RouteOptions) -> str:
        """Return how a route is to serve, as it may be written down."""
        return self._vault.seal(options.model_dump_json(), _purpose(name))

    def options(self, name: str, sealed: str) -> RouteOptions:
        """Return how a route is to serve; `SecretUnreadable` as `opened`."""
        return RouteOptions.model_validate_json(self._vault.open(sealed, _purpose(name)))


def _purpose(name: str) -> str:
    return f"users of {name}"
