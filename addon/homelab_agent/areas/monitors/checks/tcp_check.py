"""A port: somebody listens, and says what is expected."""

from homelab_agent.areas.monitors.check_settings import CheckType, TcpCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.conversation import Talk, converse
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.platform.outbound.connections import Outbound, where

_MOST_BYTES = 64 * 1024


class TcpCheck:
    """Connects. The response time is until the connection stands, or the first words came."""

    type = CheckType.TCP

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def run(
        self, settings: TcpCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""

        async def talk(talk: Talk) -> CheckOutcome:
            connected_ms = talk.elapsed_ms()
            if settings.send is not None:
                talk.writer.write(settings.send.encode())
                await talk.writer.drain()
            if settings.expect is None:
                return CheckOutcome(ok=True, response_ms=connected_ms)
            return await _listen(talk, settings.expect)

        return await converse(
            self._outbound,
            settings.host,
            settings.port,
            talk,
            timeout_s,
            allow_guarded=allow_guarded,
        )

    def target(self, settings: TcpCheckSettings) -> str:
        """Return host and port."""
        return where(settings.host, settings.port)


async def _listen(talk: Talk, expected: str) -> CheckOutcome:
    talk.waits_for = f'"{expected}"'
    wanted, heard = expected.encode(), bytearray()
    response_ms: float | None = None
    while len(heard) <= _MOST_BYTES:
        chunk = await talk.reader.read(_MOST_BYTES)
        if not chunk:
            break
        response_ms = response_ms or talk.elapsed_ms()
        heard += chunk
        if wanted in heard:
            return CheckOutcome(ok=True, response_ms=response_ms)
    if not heard:
        return down(
            CheckCode.CLOSED, f'{talk.place} closed the connection without saying "{expected}".'
        )
    return down(CheckCode.WRONG_BODY, f'{talk.place} said something, but not "{expected}".')
