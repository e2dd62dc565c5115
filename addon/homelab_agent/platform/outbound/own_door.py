"""Whether it is this agent that answers somewhere, by whatever way one got there."""

import asyncio
from contextlib import suppress
from time import monotonic

from homelab_agent.platform.outbound.names import Target
from homelab_agent.platform.outbound.tls_contexts import TlsContexts

TIMEOUT_S = 2.0
KNOWN_FOR_S = 60.0
_MOST_KNOWN = 256
_LONGEST_ANSWER = 16 * 1024


class OwnDoor:
    """Asks who is there: an agent tells its id to everybody who asks for its health.

    The machine's own addresses cannot be told from those of others inside a container, so that the
    only way to know where a published port leads is to go there.
    """

    def __init__(
        self, path: str, instance_id: str, tls: TlsContexts, *, is_encrypted: bool
    ) -> None:
        self._path = path
        self._instance_id = instance_id.encode()
        self._tls = tls
        self._is_encrypted = is_encrypted
        self._known: dict[Target, tuple[float, bool]] = {}

    async def is_at(self, target: Target) -> bool:
        """Return whether this agent answers there; False where nobody does."""
        asked_s, is_ours = self._known.get(target, (-KNOWN_FOR_S, False))
        if monotonic() - asked_s < KNOWN_FOR_S:
            return is_ours
        try:
            async with asyncio.timeout(TIMEOUT_S):
                is_ours = self._instance_id in await self._ask(target)
        except OSError:
            return False  # it may be there in a moment
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[target] = (monotonic(), is_ours)
        return is_ours

    async def _ask(self, target: Target) -> bytes:
        context = await self._tls.get(verify=False) if self._is_encrypted else None
        address, port, *_ = target.socket_address
        host = f"{address}%{target.scope_id}" if target.scope_id else str(address)
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        try:
            name = f"[{address}]" if ":" in target.address else target.address
            request = f"GET {self._path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n"
            writer.write(f"{request}\r\n".encode())
            answer = b""
            while len(answer) < _LONGEST_ANSWER and (part := await reader.read(_LONGEST_ANSWER)):
                answer += part
            return answer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
