"""Headers of a route that carry credentials: sealed at rest, shown as stars, opened for Caddy."""

import re
from collections.abc import Mapping

from homelab_agent.areas.proxy.models import KeptHeaders, KeptRoute, RouteOptions
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.secrets import STARS
from homelab_agent.platform.vault import Vault

SAFE_PLACEHOLDER = re.compile(r"\{http\.request\.[\w.-]+\}")
"""What Caddy may put into a header: what a visitor sent, and nothing of its machine."""

_PURPOSE = "header"
_TELLING_NAME = re.compile(
    r"auth|bearer|cookie|credential|jwt|key$|passw|secret|session|signature|token", re.IGNORECASE
)
_FOR_EVERYBODY = ("access-control-", "www-authenticate", "proxy-authenticate")
"""What browsers are told of credentials is none itself."""


def is_secret(name: str, value: str) -> bool:
    """Return whether a header carries a credential: its name tells, and no visitor gave it."""
    if not _TELLING_NAME.search(name) or name.lower().startswith(_FOR_EVERYBODY):
        return False
    return bool(SAFE_PLACEHOLDER.sub("", value).strip())


class HeaderSecrets:
    """Takes secrets out of the options of a route, and puts them back in for Caddy."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def keep(
        self, options: RouteOptions, before: KeptRoute | None, *, same_service: bool
    ) -> tuple[RouteOptions, KeptHeaders]:
        """Return options that may be shown, and their secrets, sealed.

        `same_service`: the requests still go where the secrets of before were meant for.

        Raises:
            Invalid: one is stars, and there is none of before to keep; it names the field.
        """
        known = before.secret_headers if before else KeptHeaders()
        # Else whoever may change a route would be sent what nobody is shown.
        asked = self._kept("request_headers", options, known.request if same_service else {})
        told = self._kept("response_headers", options, known.response)
        shown = options.model_copy(
            update={
                "request_headers": options.request_headers | dict.fromkeys(asked, STARS),
                "response_headers": options.response_headers | dict.fromkeys(told, STARS),
            }
        )
        return shown, KeptHeaders(request=asked, response=told)

    def options(self, route: KeptRoute) -> RouteOptions:
        """Return a route's options for Caddy; `SecretUnreadable` without the agent's key."""
        options, secrets = route.options, route.secret_headers
        return options.model_copy(
            update={
                "request_headers": options.request_headers | self._opened(secrets.request),
                "response_headers": options.response_headers | self._opened(secrets.response),
            }
        )

    def _kept(self, field: str, options: RouteOptions, known: Mapping[str, str]) -> dict[str, str]:
        given: dict[str, str] = getattr(options, field)
        kept = {}
        for name, value in given.items():
            before = known.get(name)
            if value == STARS:
                if before is None:
                    raise Invalid(
                        f"{name} is stars, and there is no secret to keep for this service.",
                        field=f"options.{field}.{name}",
                        hint="Give the secret itself.",
                    )
                kept[name] = before
            elif is_secret(name, value):
                same = before is not None and self._vault.open(before, _PURPOSE) == value
                kept[name] = before if before and same else self._vault.seal(value, _PURPOSE)
        return kept

    def _opened(self, sealed: Mapping[str, str]) -> dict[str, str]:
        return {name: self._vault.open(each, _PURPOSE) for name, each in sealed.items()}
