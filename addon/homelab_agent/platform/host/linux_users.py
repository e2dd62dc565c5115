"""Who is logged in: as systemd keeps it, else as utmp does."""

import os
import struct
from datetime import UTC, datetime
from pathlib import Path

from homelab_agent.platform.host.linux_files import read_text
from homelab_agent.platform.host.machine import LoggedIn

_SESSIONS = "run/systemd/sessions"
_UTMP = ("run/utmp", "var/run/utmp")
_RECORD = struct.Struct("=hhi32s4s32s256shhiii36x")
"""type, pid, terminal, id, user, host, exit (2), session, seconds, microseconds."""

_USER_PROCESS = 7
_MICROSECONDS = 1_000_000


def read_users(root: str) -> tuple[LoggedIn, ...] | None:
    """Return who is logged in; None where nobody keeps that."""
    sessions = f"{root}/{_SESSIONS}"
    if os.path.isdir(sessions):  # noqa: PTH112
        return _from_sessions(sessions)
    for file in _UTMP:
        try:
            return _from_utmp(Path(f"{root}/{file}").read_bytes())
        except OSError:
            continue
    return None


def _from_sessions(folder: str) -> tuple[LoggedIn, ...] | None:
    try:
        names = [name for name in sorted(os.listdir(folder)) if not name.endswith(".ref")]  # noqa: PTH208
    except OSError:
        return None
    users = []
    for name in names:
        lines = (read_text(f"{folder}/{name}") or "").splitlines()
        told = dict(line.split("=", 1) for line in lines if "=" in line)
        if told.get("CLASS") != "user" or told.get("STATE") == "closing" or "USER" not in told:
            continue
        since = told.get("REALTIME", "")
        users.append(
            LoggedIn(
                name=told["USER"],
                terminal=told.get("TTY"),
                host=told.get("REMOTE_HOST"),
                since=_time(int(since) // _MICROSECONDS) if since.isdigit() else None,
            )
        )
    return tuple(users)


def _from_utmp(records: bytes) -> tuple[LoggedIn, ...]:
    users = []
    for at in range(0, len(records) - _RECORD.size + 1, _RECORD.size):
        record = _RECORD.unpack_from(records, at)
        kind, _, _, terminal, _, user, host, _, _, _, seconds, _ = record
        if kind == _USER_PROCESS and (name := _text(user)):
            users.append(
                LoggedIn(
                    name=name,
                    terminal=_text(terminal) or None,
                    host=_text(host) or None,
                    since=_time(seconds),
                )
            )
    return tuple(users)


def _text(padded: bytes) -> str:
    return padded.partition(b"\0")[0].decode(errors="replace")


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
