"""Checks what somebody wants of a route, and makes of it what the agent keeps."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from homelab_agent.areas.proxy.caddy_admin import socket_path, split_address
from homelab_agent.areas.proxy.header_secrets import SAFE_PLACEHOLDER, HeaderSecrets
from homelab_agent.areas.proxy.models import KeptRoute, KeptUser, RouteBody, RouteOptions
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.areas.proxy.route_document import all_hosts, is_tls, network_of, split_dial
from homelab_agent.platform.dns_names import uniform_name
from homelab_agent.platform.errors import Conflict, Invalid
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.guard import Guard

LOOK_UP_S = 5.0

_BRACES = frozenset("{}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OF_THE_CONNECTION = frozenset(
    {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_USUAL_ADMIN_PORT = 2019
_ADMIN_API = "Caddy's own admin API, by which everything could be changed"


class Wishes:
    """Reads what is wanted. Every refusal names the field and the remedy."""

    def __init__(self, passwords: Passwords, headers: HeaderSecrets, outbound: Outbound) -> None:
        self._passwords = passwords
        self._headers = headers
        self._outbound = outbound

    async def read(
        self,
        host: str,
        body: RouteBody,
        known: Mapping[str, KeptRoute],
        *,
        admin: str,
        at: datetime,
    ) -> KeptRoute:
        """Return the route to keep; `known` are all routes of the agent by host.

        Raises:
            Invalid: something of it cannot be; it names the field.
            Conflict: another route of the agent serves one of its names.
        """
        aliases = _aliases(host, body)
        require_free((host, *aliases), host, known)
        _check_options(body.options)
        await self._check_upstreams(body, admin)
        before = known.get(host)
        users = await self._users(body, before.users if before else ())
        options, secret_headers = self._headers.keep(
            body.options, before, same_service=before is not None and _same_service(body, before)
        )
        route = KeptRoute(
            host=host,
            aliases=aliases,
            upstreams=body.upstreams,
            certificate=body.certificate,
            options=options,
            users=users,
            secret_headers=secret_headers,
            changed_at=at,
        )
        if before and before.model_copy(update={"changed_at": at}) == route:
            return before
        return route

    async def _users(self, body: RouteBody, before: tuple[KeptUser, ...]) -> tuple[KeptUser, ...]:
        if body.basic_auth is None:
            return before
        names = [each.username for each in body.basic_auth]
        for index, name in enumerate(names):
            if _BRACES & set(name) or name in names[:index]:
                raise Invalid(
                    f"{name} is no name of a user here: it is there twice or has a brace.",
                    field=f"basic_auth.{index}.username",
                    hint="Give each user a name of letters, digits and hyphens.",
                )
        return await asyncio.to_thread(self._passwords.keep, body.basic_auth, before)

    async def _check_upstreams(self, body: RouteBody, admin: str) -> None:
        for index, upstream in enumerate(body.upstreams):
            field = f"upstreams.{index}"
            host, port = _dialled(upstream, field)
            if is_tls(upstream) != is_tls(body.upstreams[0]):
                raise Invalid(
                    "Either all upstreams of a route are spoken to in TLS, or none.",
                    field=field,
                    hint="Write https:// before all of them, or before none.",
                )
            await self._require_unguarded(host, port, admin, field)

    async def _require_unguarded(self, host: str, port: int, admin: str, field: str) -> None:
        """Refuse what the agent would not connect to itself, and Caddy's own admin API.

        Caddy chooses among the addresses of a name, so that not one of them may be such a door.
        """
        why = await self._refusal(host, port, admin)
        if why is not None:
            raise Invalid(
                f"{host}:{port} is {why}; the agent leads nobody there.",
                field=field,
                hint="Name the service that is to be reached.",
            )

    async def _refusal(self, host: str, port: int, admin: str) -> str | None:
        guard, doors = self._outbound.guard, Guard(self._outbound.names)
        for door_host, door_port in _doors_of(admin):
            doors.keep(_ADMIN_API, door_host, door_port, is_open=True)
        try:
            async with asyncio.timeout(LOOK_UP_S):
                targets = await self._outbound.names.look_up(host, port)
        except OSError:
            # Caddy may know the name: in a container's network it leads to whoever is called so.
            return doors.open_at(port) or guard.open_at(port)
        for target in targets:
            why = await guard.refusal(target) or await doors.refusal(target)
            if why is not None:
                return why
        return None


def _doors_of(admin: str) -> tuple[tuple[str, int], ...]:
    """Return where Caddy's admin API may be reached: also as Caddy itself sees it."""
    if socket_path(admin) is not None:
        return ()
    host, port = split_address(admin)
    return (host, port), ("localhost", port), ("localhost", _USUAL_ADMIN_PORT)


def checked_host(host: str) -> str:
    """Return the name of a route as it is kept; `Invalid` says what is wrong with it."""
    return uniform_name(host, field="host", wildcard=True)


def _aliases(host: str, body: RouteBody) -> tuple[str, ...]:
    aliases: list[str] = []
    for index, alias in enumerate(body.aliases):
        name = uniform_name(alias, field=f"aliases.{index}", wildcard=True)
        if name == host or name in aliases:
            raise Invalid(f"{name} is named twice.", field=f"aliases.{index}", hint="Name it once.")
        aliases.append(name)
    return tuple(aliases)


def require_free(names: tuple[str, ...], host: str, known: Mapping[str, KeptRoute]) -> None:
    """Raise `Conflict` where another route of the agent serves one of the names."""
    for other in known.values():
        taken = set(names) & set(all_hosts(other)) if other.host != host else set()
        if taken:
            raise Conflict(
                f"{min(taken)} is served by the agent's route {other.host} already.",
                field="host" if host in taken else "aliases",
                hint="Change that route, or choose another name.",
            )


def _check_options(options: RouteOptions) -> None:
    for index, text in enumerate(options.allow):
        try:
            network_of(text)
        except ValueError:
            raise Invalid(
                f"{text[:100]} is neither an address nor a network.",
                field=f"options.allow.{index}",
                hint="Write 192.0.2.10, 192.168.1.0/24 or 2001:db8::/32.",
            ) from None
    for field in ("request_headers", "response_headers"):
        _check_headers(field, getattr(options, field))
    if options.health and _BRACES & set(options.health.path):
        raise Invalid(
            "A path to ask has no braces here.", field="options.health.path", hint="Leave them out."
        )


def _check_headers(field: str, headers: Mapping[str, str]) -> None:
    seen: set[str] = set()
    for name, value in headers.items():
        if name.lower() in seen:
            raise Invalid(
                f"{name} is there twice: in headers capitals do not matter.",
                field=f"options.{field}.{name}",
                hint="Give it once.",
            )
        seen.add(name.lower())
        if name.lower() in _OF_THE_CONNECTION:
            raise Invalid(
                f"{name} is about a connection, and those are Caddy's.",
                field=f"options.{field}.{name}",
                hint="Leave it out.",
            )
        if _BRACES & set(SAFE_PLACEHOLDER.sub("", value)):
            raise Invalid(
                "Braces are Caddy's: with them a header could show files and variables of "
                "its machine.",
                field=f"options.{field}.{name}",
                hint="Only placeholders like {http.request.host} are allowed.",
            )


def _same_service(body: RouteBody, before: KeptRoute) -> bool:
    """Return whether requests go nowhere but where they went before, and as surely."""
    trusts_anybody = before.options.verify_upstream_tls and not body.options.verify_upstream_tls
    return set(body.upstreams) <= set(before.upstreams) and not trusts_anybody


def _dialled(upstream: str, field: str) -> tuple[str, int]:
    try:
        host, port = split_dial(upstream)
    except ValueError:
        host, port = "", 0
    if not port or not _is_host(host):
        raise Invalid(
            f"{upstream[:100]} is no host with a port.",
            field=field,
            hint="Write 192.0.2.10:8080, [2001:db8::10]:8080, photos:2342 or https://nas.lan:5001; "
            "a name with other letters as xn--...",
        )
    return host, port


def _is_host(host: str) -> bool:
    """Return whether Caddy could dial it: an address, or a name as one is asked for."""
    try:
        ip_address(host)
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return True
