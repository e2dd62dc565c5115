"""The service health table as people and spreadsheets get it."""

import csv
import io
from datetime import UTC, datetime

import pytest

from homelab_agent.areas.monitors.models import MonitorState, MonitorTier, ReportRow
from homelab_agent.areas.monitors.report import as_csv, as_markdown, health_report
from homelab_agent.check_command import CheckFormat, exit_code, written

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def row(
    name: str,
    state: MonitorState = MonitorState.UP,
    tier: MonitorTier = MonitorTier.OPTIONAL,
    reason: str | None = None,
) -> ReportRow:
    return ReportRow(
        name=name, key=name.lower(), tier=tier, endpoint="192.0.2.1:80", state=state, reason=reason
    )


def test_what_is_critical_and_down_comes_first() -> None:
    report = health_report(
        AT,
        (
            row("b"),
            row("a"),
            row("z", MonitorState.DOWN),
            row("y", tier=MonitorTier.CRITICAL),
            row("x", MonitorState.DOWN, MonitorTier.CRITICAL),
        ),
    )

    assert [each.name for each in report.critical] == ["x", "y"]
    assert [each.name for each in report.optional] == ["z", "a", "b"]
    assert (report.down, report.total) == (2, 5)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula_to_a_spreadsheet(name: str) -> None:
    text = as_csv(health_report(AT, (row(name, reason=name),)))

    (line,) = list(csv.DictReader(io.StringIO(text, newline="")))
    assert line["name"] == f"'{name}"
    assert line["reason"] == f"'{name}"


def test_what_a_service_says_cannot_break_the_markdown_table() -> None:
    reason = "half\n| a | table | [x](javascript:1) <script>"
    text = as_markdown(health_report(AT, (row("Web", MonitorState.DOWN, reason=reason),)))

    (line,) = [line for line in text.splitlines() if "Web" in line]
    assert line.replace("\\|", "").count("|") == 11
    assert "<script>" not in line.replace("\\<", "")
    assert "half \\| a" in line


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ((row("a"), row("b", MonitorState.UNKNOWN), row("c", MonitorState.FAILING)), 0),
        ((), 0),
        ((row("a", MonitorState.DOWN), row("b", tier=MonitorTier.CRITICAL)), 1),
        ((row("a", MonitorState.DOWN, MonitorTier.CRITICAL), row("b", MonitorState.DOWN)), 2),
    ],
)
def test_the_exit_code_says_how_bad_it_is(rows: tuple[ReportRow, ...], code: int) -> None:
    assert exit_code(health_report(AT, rows)) == code


def test_a_terminal_gets_a_table_and_no_control_characters() -> None:
    report = health_report(AT, (row("Web\x1b[2J", MonitorState.DOWN, reason="x" * 200),))

    text = written(report, CheckFormat.TABLE)

    assert "\x1b" not in text
    assert "Optional:" in text
    assert "Critical:" not in text
    assert text.endswith("1 of 1 down\n")
    assert max(map(len, text.splitlines())) < 200
