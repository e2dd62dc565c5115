"""What an authority said to Caddy, as far as Caddy's log can be read."""

import json
from collections.abc import Iterable
from typing import Protocol

from homelab_agent.areas.provisioning.partners import Containers, Proxy
from homelab_agent.platform.engine.models import LogLine, LogStream
from homelab_agent.platform.errors import AgentError
from homelab_agent.platform.logging import get_logger

_LINES = 500
_LONGEST = 500

_log = get_logger(__name__)


class Logs(Protocol):
    """What reads a container's log."""

    async def logs(
        self,
        container_id: str,
        *,
        tail: int,
        since: None,
        until: None,
        stream: LogStream | None = None,
    ) -> tuple[LogLine, ...]:
        """Return the last lines."""
        ...


class AuthorityWords:
    """Reads them where Caddy runs in a container of this host; elsewhere nobody can."""

    def __init__(self, proxy: Proxy, containers: Containers, logs: Logs) -> None:
        self._proxy = proxy
        self._containers = containers
        self._logs = logs

    async def about(self, name: str) -> str | None:
        """Return what was said last about a name; None where it cannot be known."""
        key = self._proxy.status().container
        if key is None:
            return None
        try:
            container = self._containers.get(key)
            lines = await self._logs.logs(container.id, tail=_LINES, since=None, until=None)
        except AgentError as error:
            _log.info("log_of_caddy_not_read", container=key, why=error.message)
            return None
        return last_words(name, (line.text for line in lines))


def last_words(name: str, lines: Iterable[str]) -> str | None:
    """Return the error of the last line of Caddy's log that is about a name."""
    found = None
    for line in lines:
        if name not in line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") == "error":
            said = entry.get("error") or entry.get("msg")
            found = said[:_LONGEST] if isinstance(said, str) else found
    return found
