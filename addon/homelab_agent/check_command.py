"""What `homelab-agent check` does: the service health table of a running agent."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from pydantic import ValidationError

from homelab_agent.api.other_routes import BASE_PATH
from homelab_agent.areas.monitors.models import HealthReport, MonitorState, ReportRow
from homelab_agent.areas.monitors.report import as_csv, as_markdown, cells, column_names
from homelab_agent.local_agent import ask, find_agent
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.errors import Unavailable
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens

ALL_UP = 0
OPTIONAL_DOWN = 1
CRITICAL_DOWN = 2
NOT_ASKED = 3

_NAME = "homelab-agent check"
_LONGEST = timedelta(minutes=10)
"""No such command takes so long."""

_TABLE_COLUMNS = ("Service", "Status", "Endpoint", "Last check", "24 h", "30 d", "Reason")
_WIDEST = 60


class CheckFormat(StrEnum):
    """How the table is written."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    CSV = "csv"


async def ask_report(settings: Settings, names: Sequence[str]) -> HealthReport:
    """Return the table of the agent that runs with these settings, of all or of those named.

    Whoever may write the agent's store may ask it: a token is made there for this one question.

    Raises:
        Unavailable: no agent answers, or it does not know a name.
    """
    place = find_agent(settings, None)
    query = urlencode([("name", name) for name in names])
    path = f"{BASE_PATH}/monitors/report{f'?{query}' if query else ''}"
    async with _token(settings) as token:
        answer = await asyncio.to_thread(ask, place, path, token=token)
    try:
        return HealthReport.model_validate_json(answer)
    except ValidationError as error:
        raise Unavailable(f"{place.base} does not answer as an agent does") from error


def written(report: HealthReport, how: CheckFormat) -> str:
    """Return the table as text."""
    match how:
        case CheckFormat.JSON:
            return f"{report.model_dump_json(indent=2)}\n"
        case CheckFormat.MARKDOWN:
            return as_markdown(report)
        case CheckFormat.CSV:
            return as_csv(report)
        case CheckFormat.TABLE:
            return _table(report)


def exit_code(report: HealthReport) -> int:
    """Return 2 where something critical is down, 1 where something optional is, else 0."""
    if _any_down(report.critical):
        return CRITICAL_DOWN
    return OPTIONAL_DOWN if _any_down(report.optional) else ALL_UP


async def revoke_left_over(tokens: Tokens, now: datetime) -> None:
    """Take away the tokens of such commands that were killed."""
    for token in await tokens.list():
        if token.name.startswith(f"{_NAME} ") and now - token.created_at > _LONGEST:
            await tokens.revoke(token.id)


def _any_down(rows: Sequence[ReportRow]) -> bool:
    return any(row.state is MonitorState.DOWN for row in rows)


def _table(report: HealthReport) -> str:
    wanted = [column_names().index(column) for column in _TABLE_COLUMNS]
    lines: list[str] = []
    for title, rows in (("Critical", report.critical), ("Optional", report.optional)):
        if not rows:
            continue
        body = [[_plain(cells(row)[column]) for column in wanted] for row in rows]
        widths = [max(map(len, column)) for column in zip(_TABLE_COLUMNS, *body, strict=True)]
        lines.append(f"{title}:")
        for line in ([*_TABLE_COLUMNS], *body):
            parts = (text.ljust(width) for text, width in zip(line, widths, strict=True))
            lines.append(f"  {'  '.join(parts)}".rstrip())
    lines.append(f"{report.down} of {report.total} down")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return text that a service may have chosen, fit for a terminal."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…"


@asynccontextmanager
async def _token(settings: Settings) -> AsyncIterator[str]:
    store = await Store.open(settings.store_url, settings.data_dir)
    try:
        tokens = Tokens(store, utc_now)
        await revoke_left_over(tokens, utc_now())
        name = f"{_NAME} {os.getpid()}"
        secret = await tokens.rotate(name, Scope.READ)
        try:
            yield secret
        finally:
            await tokens.revoke(name)
    finally:
        await store.close()
