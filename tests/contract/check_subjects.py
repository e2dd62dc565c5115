"""Every kind of check, with what a right server of its kind is and what each fault means to it."""

import random
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import dns.rcode
from pydantic import SecretStr

from homelab_agent.areas.monitors.check_settings import (
    CheckSettings,
    CheckType,
    ContainerCheckSettings,
    DnsCheckSettings,
    HomeAssistantCheckSettings,
    HttpCheckSettings,
    PingCheckSettings,
    PlexCheckSettings,
    SunshineCheckSettings,
    TcpCheckSettings,
    TlsCheckSettings,
    VncCheckSettings,
)
from homelab_agent.areas.monitors.checks.codes import CheckCode
from tests.fakes.services import home, http
from tests.fakes.services.faults import closes, drips, floods, gabbles, hangs, resets, says
from tests.fakes.services.name_server import Answerer, knows, name_server, silent, truncated
from tests.fakes.services.server import Talk, serving

SECRET = "correct-horse-battery"
NO_HOST = "x" * 64 + ".invalid"
"""A name that is too long for any host, so that nobody is asked."""


class Case(StrEnum):
    """How a server can be."""

    RIGHT = "right"
    UNKNOWN_HOST = "unknown host"
    REFUSES = "refuses"
    RESETS = "resets"
    HANGS = "hangs"
    DRIPS = "drips"
    GABBLES = "gabbles"
    FLOODS = "floods"
    CLOSES = "closes"
    ECHOES = "echoes"


@dataclass
class Place:
    """Where a server is; `came` and `open` count who connected and who still is."""

    host: str
    port: int
    came: Callable[[], int] = lambda: 0
    open: Callable[[], int] = lambda: 0


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A kind of check. `expected`: the code of each case, None where it is right.

    `never`: the cases that there are not for it, and why. `beginning`: how a right server begins.
    """

    settings: Callable[[str, int], CheckSettings]
    expected: Mapping[Case, CheckCode | None]
    never: Mapping[Case, str] = field(default_factory=dict)
    right: Talk = closes
    beginning: bytes = b""
    encrypted: bool = False

    @asynccontextmanager
    async def serve(self, case: Case, context: ssl.SSLContext) -> AsyncIterator[Place]:
        """Have a server that is so; `context` is its certificate where it is right."""
        talks: dict[Case, Talk] = {
            Case.RIGHT: self.right,
            Case.RESETS: resets,
            Case.HANGS: hangs,
            Case.DRIPS: drips(self.beginning),
            Case.GABBLES: gabbles,
            Case.FLOODS: floods(self.beginning),
            Case.ECHOES: http.echoes,
        }
        tls = context if self.encrypted and case is Case.RIGHT else None
        async with serving(talks.get(case, closes), context=tls) as service:
            host = NO_HOST if case is Case.UNKNOWN_HOST else service.host
            place = Place(host, service.port, lambda: service.came, lambda: service.open)
            if case is not Case.REFUSES:
                yield place
        if case is Case.REFUSES:
            yield place  # where nobody listens any more


class DnsSubject(Subject):
    """The same for datagrams."""

    @asynccontextmanager
    async def serve(self, case: Case, context: ssl.SSLContext) -> AsyncIterator[Place]:
        """Have a name server that is so."""
        del context
        talks: dict[Case, Answerer] = {
            Case.RIGHT: knows("nas.lab.example. 60 IN A 192.0.2.7"),
            Case.UNKNOWN_HOST: knows(rcode=dns.rcode.NXDOMAIN),
            Case.GABBLES: lambda asked: asked[:2] + b"garbage",
            Case.CLOSES: truncated,
        }
        async with name_server(talks.get(case, silent), lambda _: b"") as server:
            place = Place("127.0.0.1", server.port, lambda: server.came)
            if case is not Case.REFUSES:
                yield place
        if case is Case.REFUSES:
            yield place


class LocalSubject(Subject):
    """A check that asks no server of ours."""

    @asynccontextmanager
    async def serve(self, case: Case, context: ssl.SSLContext) -> AsyncIterator[Place]:
        """Name what is there, or what is not."""
        del context
        yield Place(NO_HOST if case is Case.UNKNOWN_HOST else "127.0.0.1", 0)


_NO_CONNECTION = {
    Case.UNKNOWN_HOST: CheckCode.UNKNOWN_HOST,
    Case.REFUSES: CheckCode.REFUSED,
    Case.RESETS: CheckCode.RESET,
    Case.HANGS: CheckCode.TIMED_OUT,
    Case.DRIPS: CheckCode.TIMED_OUT,
    Case.CLOSES: CheckCode.CLOSED,
}
_WEB = {
    Case.RIGHT: None,
    **_NO_CONNECTION,
    Case.GABBLES: CheckCode.BAD_ANSWER,
    Case.FLOODS: CheckCode.BAD_ANSWER,
}
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"
_NO_SERVER = "no server is asked"
_NO_SECRETS = "nothing secret is sent"


def _but_right(*cases: Case) -> dict[Case, str]:
    return dict.fromkeys(set(Case) - set(cases), _NO_SERVER)


SUBJECTS: dict[CheckType, Subject] = {
    CheckType.HTTP: Subject(
        settings=lambda host, port: HttpCheckSettings(
            url=f"http://{host}:{port}/",
            contains="well",
            headers={"X-Api-Key": SecretStr(SECRET)},
            json_path="/value",
        ),
        right=http.answers(http.json_answer({"value": "well"})),
        beginning=_PAGE,
        expected={**_WEB, Case.FLOODS: CheckCode.TOO_LARGE, Case.ECHOES: CheckCode.WRONG_BODY},
    ),
    CheckType.TCP: Subject(
        settings=lambda host, port: TcpCheckSettings(
            host=host, port=port, send=f"{SECRET}\r\n\r\n", expect="+OK"
        ),
        right=says(b"+OK ready\r\n"),
        expected={
            Case.RIGHT: None,
            **_NO_CONNECTION,
            Case.GABBLES: CheckCode.TIMED_OUT,
            Case.FLOODS: CheckCode.WRONG_BODY,
            Case.ECHOES: CheckCode.WRONG_BODY,
        },
    ),
    CheckType.DNS: DnsSubject(
        settings=lambda host, port: DnsCheckSettings(
            name="nas.lab.example", values=("192.0.2.7",), server=f"{host}:{port}"
        ),
        expected={
            Case.RIGHT: None,
            Case.UNKNOWN_HOST: CheckCode.UNKNOWN_HOST,
            Case.REFUSES: CheckCode.REFUSED,
            Case.HANGS: CheckCode.TIMED_OUT,
            Case.GABBLES: CheckCode.TIMED_OUT,
            Case.CLOSES: CheckCode.BAD_ANSWER,
        },
        never={
            Case.RESETS: "datagrams know no connection",
            Case.DRIPS: "a datagram comes as a whole",
            Case.FLOODS: "a datagram is small",
            Case.ECHOES: _NO_SECRETS,
        },
    ),
    CheckType.PING: LocalSubject(
        settings=lambda host, _: PingCheckSettings(host=host),
        expected={Case.RIGHT: None, Case.UNKNOWN_HOST: CheckCode.UNKNOWN_HOST},
        never=_but_right(Case.RIGHT, Case.UNKNOWN_HOST),
    ),
    CheckType.TLS: Subject(
        settings=lambda host, port: TlsCheckSettings(host=host, port=port),
        right=hangs,
        encrypted=True,
        beginning=b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc",  # a server hello without an end
        expected={
            Case.RIGHT: None,
            Case.UNKNOWN_HOST: CheckCode.UNKNOWN_HOST,
            Case.REFUSES: CheckCode.REFUSED,
            Case.RESETS: CheckCode.RESET,
            Case.HANGS: CheckCode.TIMED_OUT,
            Case.DRIPS: CheckCode.TIMED_OUT,
            Case.GABBLES: CheckCode.NO_CERTIFICATE,
            Case.FLOODS: CheckCode.NO_CERTIFICATE,
            Case.CLOSES: CheckCode.CLOSED,
        },
        never={Case.ECHOES: _NO_SECRETS},
    ),
    CheckType.CONTAINER: LocalSubject(
        settings=lambda host, _: ContainerCheckSettings(
            container="web" if host != NO_HOST else "nobody"
        ),
        expected={Case.RIGHT: None, Case.UNKNOWN_HOST: CheckCode.NO_CONTAINER},
        never=_but_right(Case.RIGHT, Case.UNKNOWN_HOST),
    ),
    CheckType.PLEX: Subject(
        settings=lambda host, port: PlexCheckSettings(
            url=f"http://{host}:{port}", token=SecretStr(SECRET)
        ),
        right=home.plex(),
        beginning=_PAGE,
        # The identity is asked without the token, and an odd version is no fault.
        expected={**_WEB, Case.ECHOES: None},
    ),
    CheckType.VNC: Subject(
        settings=lambda host, port: VncCheckSettings(host=host, port=port),
        right=home.vnc(),
        beginning=b"RFB 003.008\n",
        expected={
            Case.RIGHT: None,
            **_NO_CONNECTION,
            Case.GABBLES: CheckCode.BAD_ANSWER,
            # What it goes on to say is taken for a list of types that are not known.
            Case.DRIPS: CheckCode.TIMED_OUT,
            Case.FLOODS: None,
        },
        never={Case.ECHOES: _NO_SECRETS},
    ),
    CheckType.SUNSHINE: Subject(
        settings=lambda host, port: SunshineCheckSettings(host=host, port=port),
        right=home.sunshine(),
        beginning=_PAGE,
        expected=_WEB,
        never={Case.ECHOES: _NO_SECRETS},
    ),
    CheckType.HOME_ASSISTANT: Subject(
        settings=lambda host, port: HomeAssistantCheckSettings(
            url=f"http://{host}:{port}", token=SecretStr(SECRET)
        ),
        right=home.home_assistant(),
        beginning=_PAGE,
        expected={**_WEB, Case.ECHOES: CheckCode.NOT_READY},
    ),
}

SAMPLES: dict[CheckType, tuple[bytes, ...]] = {
    CheckType.HTTP: (
        http.json_answer({"value": "well"}),
        http.answer(b"x", headers={"Content-Encoding": "gzip"}),
        http.answer(status="302 Found", headers={"Location": "/a%zz?b#c"}),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n",
    ),
    CheckType.TCP: (b"+OK",),
    CheckType.TLS: (b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(120),),
    CheckType.PLEX: (http.json_answer({"MediaContainer": {"version": "1", "size": 3}}),),
    CheckType.VNC: (b"RFB 003.008\n\x02\x01\x02", b"RFB 003.003\n\x00\x00\x00\x01"),
    CheckType.SUNSHINE: (http.answer(home.SERVER_INFO.encode()),),
    CheckType.HOME_ASSISTANT: (http.json_answer({"state": "RUNNING", "version": "1"}),),
}
"""Right answers, byte by byte."""


def garbled(answer: bytes, chance: random.Random) -> bytes:
    """Change, add and leave out some bytes of an answer."""
    text = bytearray(answer)
    for _ in range(chance.choice((1, 2, 5, 20))):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(3):
            case 0:
                text[at : at + 1] = chance.randbytes(1)
            case 1:
                text[at:at] = chance.choice((b"\r\n", b"\0", b"%", b"[", b"&", b"9" * 30, b"-"))
            case _:
                del text[at : at + chance.randrange(1, 20)]
    return bytes(text)
