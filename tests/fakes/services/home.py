"""What Plex, Sunshine, Home Assistant and VNC servers say, from their published protocols.

Plex and Sunshine cannot be had where these tests run: what is here was written from their
documentation and source, and not from a server.
"""

import asyncio
from collections.abc import Sequence

from tests.fakes.services.http import answer, answers_by_path, json_answer
from tests.fakes.services.server import Talk

PLEX_TOKEN = "plex-token-correct-horse"
HOME_TOKEN = "home-token-correct-horse"

SERVER_INFO = """\
<?xml version="1.0" encoding="utf-8"?>
<root status_code="200"><hostname>gaming-pc</hostname><appversion>7.1.431.-1</appversion>\
<GfeVersion>3.23.0.74</GfeVersion><uniqueid>B3C2</uniqueid><HttpsPort>47984</HttpsPort>\
<ExternalPort>47989</ExternalPort><MaxLumaPixelsHEVC>1869449984</MaxLumaPixelsHEVC>\
<mac>00:00:00:00:00:00</mac><LocalIP>192.0.2.20</LocalIP>\
<ServerCodecModeSupport>3</ServerCodecModeSupport><SupportedDisplayMode>\
<DisplayMode><Width>1920</Width></DisplayMode></SupportedDisplayMode><PairStatus>0</PairStatus>\
<currentgame>0</currentgame><state>SUNSHINE_SERVER_FREE</state></root>
"""


def plex(*, sessions: int = 2) -> Talk:
    """A Plex media server; it tells everybody its sessions, as it does within its own network."""
    identity = {"size": 0, "claimed": True, "machineIdentifier": "d1c7", "version": "1.41.3.9314"}
    return answers_by_path(
        {
            "/identity": json_answer({"MediaContainer": identity}),
            "/status/sessions": json_answer({"MediaContainer": {"size": sessions}}),
        }
    )


def sunshine(info: str = SERVER_INFO) -> Talk:
    """A Sunshine server."""
    body = info.encode()
    return answers_by_path({"/serverinfo": answer(body, headers={"Content-Type": "text/xml"})})


def home_assistant(state: str = "RUNNING") -> Talk:
    """A Home Assistant, with just what is asked of it."""
    return answers_by_path(
        {
            "/manifest.json": json_answer(
                {"name": "Home Assistant", "start_url": "/?homescreen=1"}
            ),
            "/api/config": json_answer(
                {"state": state, "version": "2026.11.0", "safe_mode": False}
            ),
        }
    )


def vnc(
    types: Sequence[int] = (2,), *, greeting: bytes = b"RFB 003.008\n", why: bytes = b""
) -> Talk:
    """A VNC server that offers these ways to authenticate; none: it refuses, and says why."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        answered = await reader.readexactly(12)
        refusal = len(why).to_bytes(4) + why
        if answered == b"RFB 003.003\n":
            chosen = types[0] if types else 0
            writer.write(chosen.to_bytes(4) + (b"" if types else refusal))
        else:
            writer.write(bytes([len(types), *types]) + (b"" if types else refusal))
        await writer.drain()
        assert not await reader.read(1), "it goes on to authenticate"

    return talk
