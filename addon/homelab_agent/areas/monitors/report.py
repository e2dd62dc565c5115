"""The service health table, also as text for people and for spreadsheets."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from homelab_agent.areas.monitors.models import HealthReport, MonitorState, MonitorTier, ReportRow

_ORDER = {
    MonitorState.DOWN: 0,
    MonitorState.FAILING: 1,
    MonitorState.UNKNOWN: 2,
    MonitorState.PENDING: 3,
    MonitorState.MAINTENANCE: 4,
    MonitorState.PAUSED: 5,
    MonitorState.UP: 6,
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "Service",
    "Status",
    "Endpoint",
    "Last check",
    "Response",
    "24 h",
    "7 d",
    "30 d",
    "365 d",
    "Reason",
)
_CSV_COLUMNS = ("tier", *(field for field in ReportRow.model_fields if field != "tier"))


def health_report(at: datetime, rows: Iterable[ReportRow]) -> HealthReport:
    """Return the table: what is down first, then by name."""
    ordered = sorted(rows, key=lambda row: (_ORDER[row.state], row.name.casefold(), row.key))
    return HealthReport(
        at=at,
        critical=tuple(row for row in ordered if row.tier is MonitorTier.CRITICAL),
        optional=tuple(row for row in ordered if row.tier is MonitorTier.OPTIONAL),
        down=sum(row.state is MonitorState.DOWN for row in ordered),
        total=len(ordered),
    )


def as_markdown(report: HealthReport) -> str:
    """Return the table as Markdown. What services say of themselves cannot break it."""
    lines = [
        "# Service health",
        "",
        f"{report.at:%Y-%m-%d %H:%M} UTC: {report.down} of {report.total} down",
    ]
    for title, rows in (("Critical", report.critical), ("Optional", report.optional)):
        lines += ["", f"## {title}", ""]
        if not rows:
            lines.append("Nothing.")
            continue
        lines.append(f"| {' | '.join(_COLUMNS)} |")
        lines.append(f"|{' --- |' * len(_COLUMNS)}")
        lines += [f"| {' | '.join(map(_markdown, cells(row)))} |" for row in rows]
    return "\n".join(lines) + "\n"


def as_csv(report: HealthReport) -> str:
    """Return the table as CSV; no cell is a formula to a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(_CSV_COLUMNS)
    for row in (*report.critical, *report.optional):
        fields = row.model_dump(mode="json")
        writer.writerow([_harmless(fields[column]) for column in _CSV_COLUMNS])
    return written.getvalue()


def cells(row: ReportRow) -> tuple[str, ...]:
    """Return a line of the table for people: one text for each of its columns."""
    return (
        row.name,
        row.state,
        row.endpoint,
        f"{row.last_check_at:%Y-%m-%d %H:%M:%S}" if row.last_check_at else "",
        f"{row.response_ms:.0f} ms" if row.response_ms is not None else "",
        _percent(row.uptime_day_percent),
        _percent(row.uptime_week_percent),
        _percent(row.uptime_month_percent),
        _percent(row.uptime_year_percent),
        row.reason or "",
    )


def column_names() -> tuple[str, ...]:
    """Return what stands above the cells."""
    return _COLUMNS


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.3f} %"


def _markdown(text: str) -> str:
    plain = " ".join(text.split())
    for sign in "\\`*_[]<>|#":
        plain = plain.replace(sign, f"\\{sign}")
    return plain


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
