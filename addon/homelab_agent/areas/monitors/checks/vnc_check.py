"""A VNC server: its greeting and what it would ask for (RFC 6143, 7.1). Then we leave."""

import re
from dataclasses import replace

from homelab_agent.areas.monitors.check_settings import CheckType, VncCheckSettings
from homelab_agent.areas.monitors.checks.check import CheckOutcome
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.conversation import Talk, converse
from homelab_agent.areas.monitors.checks.failures import down
from homelab_agent.areas.monitors.checks.shown_texts import Texts
from homelab_agent.areas.monitors.models import MonitorDetail
from homelab_agent.platform.outbound.connections import Outbound, where

_GREETING = re.compile(rb"RFB (\d{3})\.(\d{3})\n")
_GREETING_BYTES = 12
_CHOOSES_ITSELF, _LISTS = (3, 3), (3, 8)
_REFUSES, _NO_PASSWORD = 0, 1
_NAMES = {1: "none", 2: "VNC password", 5: "RA2", 6: "RA2ne", 16: "Tight", 18: "TLS"} | {
    19: "VeNCrypt",
    20: "SASL",
    30: "Apple",
}
_MOST_REASON_BYTES = 1024
_LOCKED_OUT = "too many"


class VncCheck:
    """Shakes hands up to the list of security types. The response time is until the greeting.

    It stops before anything is authenticated.
    """

    type = CheckType.VNC

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def run(
        self, settings: VncCheckSettings, timeout_s: float, *, allow_guarded: bool
    ) -> CheckOutcome:
        """See `Check.run`."""
        return await converse(
            self._outbound,
            settings.host,
            settings.port,
            _shake_hands,
            timeout_s,
            allow_guarded=allow_guarded,
        )

    def target(self, settings: VncCheckSettings) -> str:
        """Return host and port."""
        return where(settings.host, settings.port)


async def _shake_hands(talk: Talk) -> CheckOutcome:
    talk.waits_for = "greeting of a VNC server"
    greeting = _GREETING.fullmatch(await talk.reader.readexactly(_GREETING_BYTES))
    if greeting is None:
        return down(CheckCode.BAD_ANSWER, f"{talk.place} is no VNC server: it greets otherwise.")
    response_ms = talk.elapsed_ms()
    theirs = int(greeting[1]), int(greeting[2])
    # Numbers above 3.8 are of vendors, whose servers know 3.8 as well.
    ours = _LISTS if theirs >= (3, 7) else _CHOOSES_ITSELF
    talk.waits_for = "list of security types"
    talk.writer.write(b"RFB %03d.%03d\n" % min(ours, theirs))
    offered = await _security_types(talk, ours)
    if _REFUSES in offered:
        return _turned_away(talk.place, response_ms, await _refusal(talk))
    outcome = CheckOutcome(
        ok=True,
        response_ms=response_ms,
        details=(
            MonitorDetail(name="protocol", value=f"{theirs[0]}.{theirs[1]}"),
            MonitorDetail(name="security", value=Texts().shown(", ".join(map(_name, offered)))),
        ),
    )
    if _NO_PASSWORD in offered:
        return replace(
            outcome,
            warning=f"{talk.place} asks for no password: whoever reaches it has the screen.",
        )
    return outcome


def _turned_away(place: str, response_ms: float, said: str) -> CheckOutcome:
    if _LOCKED_OUT not in said.casefold():
        return down(CheckCode.REFUSED, f"{place} refuses all clients: {said}")
    # TigerVNC and its kin count every connection without a login, so in the end they lock us out.
    return CheckOutcome(
        ok=True,
        response_ms=response_ms,
        warning=f"{place} takes the checks for failed logins and has locked the agent's address "
        f'out ("{said}"). Let it allow more of them (TigerVNC: BlacklistThreshold).',
    )


async def _security_types(talk: Talk, version: tuple[int, int]) -> tuple[int, ...]:
    if version == _CHOOSES_ITSELF:
        return (int.from_bytes(await talk.reader.readexactly(4)),)
    count = (await talk.reader.readexactly(1))[0]
    return tuple(await talk.reader.readexactly(count)) if count else (_REFUSES,)


async def _refusal(talk: Talk) -> str:
    length = int.from_bytes(await talk.reader.readexactly(4))
    said = await talk.reader.readexactly(min(length, _MOST_REASON_BYTES))
    return Texts().shown(said.decode(errors="replace"))


def _name(security_type: int) -> str:
    return _NAMES.get(security_type, f"type {security_type}")
