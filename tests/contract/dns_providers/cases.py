"""The cases of the suite, and the table of how each provider did in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

OK = "ok"
NOT_OFFERED = "not offered"
FAILED = "FAILED"


class Case(StrEnum):
    """What is tried with every provider: a row each."""

    ZONES = "names its zones"
    LISTS = "lists a zone"
    READS = "reads one name"
    A = "makes, changes, deletes A"
    AAAA = "makes, changes, deletes AAAA"
    CNAME = "makes, changes, deletes CNAME"
    TXT = "makes, changes, deletes TXT"
    MX = "makes, changes, deletes MX"
    SRV = "makes, changes, deletes SRV"
    CAA = "makes, changes, deletes CAA"
    NS = "makes, changes, deletes NS"
    ADDRESS = "changes an address that is there"
    SEVERAL = "several values"
    TTL = "TTL as wanted"
    TTL_ALONE = "TTL changed alone"
    WILDCARD = "name: wildcard"
    UNDERSCORE = "name: underscore"
    INTERNATIONAL = "name: international, mixed case"
    LONGEST = "name: as long as they get"
    LONG_TEXT = "TXT of 600 bytes"
    ODD_TEXT = "TXT with quotes, backslashes, umlauts"
    ALREADY = "already so: nothing is sent"
    STALE = "changed meanwhile: nothing is written"
    STALE_BY_ITSELF = "refuses a stale change by itself"
    ALL_OR_NOTHING = "a whole plan or nothing"
    UNDO = "taken back: as it was before"
    WRONG_KEY = "wrong key"
    AWAY = "away"
    BUSY = "rate limited"
    CUT_BEFORE = "no answer, nothing done: told"
    CUT_AFTER = "no answer, but done: found out"
    HALF = "half done: told, taken back"
    LIES = "says success, does nothing: found out"
    REFUSED_BEFORE = "not offered: refused before sending"
    SECRETS = "no secret in errors and logs"


@dataclass
class Table:
    """How it went: for each provider's heading, each case."""

    outcomes: dict[str, dict[Case, str]] = field(default_factory=dict)
    reasons: dict[tuple[str, Case], str] = field(default_factory=dict)

    def note(self, heading: str, case: Case, outcome: str, reason: str | None = None) -> None:
        """Keep an outcome."""
        self.outcomes.setdefault(heading, {})[case] = outcome
        if reason is not None:
            self.reasons[heading, case] = reason

    def lines(self) -> list[str]:
        """Return it as a person reads it, a case a row; below it why something is not offered."""
        headings = list(self.outcomes)
        width = max(len(case) for case in Case)
        columns = [max(len(word) for word in (*_words(each), NOT_OFFERED)) for each in headings]

        def row(first: str, cells: list[str]) -> str:
            filled = (cell.ljust(wide) for cell, wide in zip(cells, columns, strict=True))
            return f"{first.ljust(width)} | {' | '.join(filled)}".rstrip()

        lines = [row("", [_words(each)[0] for each in headings])]
        lines += [row("case", [_words(each)[1] for each in headings])]
        lines += [
            row(case, [self.outcomes[each].get(case, "-") for each in headings]) for case in Case
        ]
        return [*lines, "", *self._why()]

    def _why(self) -> Iterator[str]:
        """Give why something is not offered, each reason of a provider once."""
        cases: dict[tuple[str, str], list[Case]] = {}
        for (heading, case), reason in sorted(self.reasons.items()):
            cases.setdefault((heading, reason), []).append(case)
        for (heading, reason), which in cases.items():
            yield f"{_words(heading)[0]} ({'; '.join(which)}): {reason}"


def _words(heading: str) -> tuple[str, str]:
    """Return the two lines of a heading: the provider, and what it was tried against."""
    name, _, server = heading.partition("|")
    return name, server
