"""What ZoneEdit's answers mean: both families of wording that its servers are known to have."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import unescape

from homelab_agent.areas.dns.providers.web_api import shown_words

# The tags are not closed, so this is no XML.
_TAG = re.compile(r"<\s*(SUCCESS|ERROR)\b([^>]*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_MINIMUM = re.compile(r"minimum\s+(\d+)\s+seconds", re.IGNORECASE)

_LONGEST = 2000
"""Characters that are read: its answers are short, and a long word takes long to look through."""

_LONGEST_WAIT_S = 86_400.0

ADDRESS_PAUSE_S = 600.0
"""Between two changes of one host's address; also what it means by "too soon"."""


class Meaning(StrEnum):
    """What an answer means for what was asked."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WAIT = "wait"
    CREDENTIALS = "credentials"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer. `code` is a number or a word; `wait_s` where it wants us to wait."""

    meaning: Meaning
    code: str
    text: str
    wait_s: float | None = None

    @property
    def words(self) -> str:
        """What it says, for a person."""
        return f"{self.code} {shown_words(self.text)}".strip()


_BY_CODE = {
    "200": Meaning.CHANGED,
    "201": Meaning.UNCHANGED,
    "701": Meaning.REFUSED,
    "703": Meaning.REFUSED,
    "704": Meaning.REFUSED,
    "705": Meaning.REFUSED,
    "708": Meaning.CREDENTIALS,
    "709": Meaning.REFUSED,
}
"""What needs no second look; 700, 702 and 707 mean different things by their text."""

_BY_WORD = {
    "NOERROR": Meaning.CHANGED,
    "OK": Meaning.CHANGED,
    "NOACCESS": Meaning.CREDENTIALS,
    "NO_AUTH": Meaning.CREDENTIALS,
    "NO_ACCESS": Meaning.CREDENTIALS,
    "NOSERVICE": Meaning.REFUSED,
    "ILLEGAL INPUT": Meaning.REFUSED,
    "ILLEGAL_INPUT": Meaning.REFUSED,
    "TOOSOON": Meaning.WAIT,
    "TOO_SOON": Meaning.WAIT,
    "TOO_FREQ": Meaning.WAIT,
}
_WORD = re.compile(
    r"\b(" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in _BY_WORD) + r")\b"
)

HINTS = {
    "701": "Give the zone as it is called in ZoneEdit's panel.",
    "709": "Make the host in ZoneEdit's panel as a dynamic record first.",
    "NOSERVICE": "Turn dynamic DNS on for this domain in ZoneEdit's panel.",
}


def read_answer(text: str) -> tuple[Line, ...]:
    """Return the lines of an answer, in order; none where it is not one of ZoneEdit's."""
    text = text[:_LONGEST]
    tags = _TAG.findall(text)
    if tags:
        return tuple(_tagged(kind.upper(), attributes) for kind, attributes in tags)
    if "<" in text:  # a page, and words of a page mean nothing
        return ()
    return tuple(_worded(word, text) for word in _WORD.findall(text))


def verdict(lines: Sequence[Line]) -> Line:
    """Return the line that decides: the worst one, and of those alike the first."""
    order = tuple(Meaning)
    return max(lines, key=lambda line: order.index(line.meaning))


def _tagged(kind: str, attributes: str) -> Line:
    found = {
        name.upper(): unescape(double or single)
        for name, double, single in _ATTRIBUTE.findall(attributes)
    }
    code, text = found.get("CODE", "").strip(), found.get("TEXT", "")
    word = code.upper()
    if word in _BY_WORD:
        return _worded(word, text)
    meaning = _BY_CODE.get(code) or _by_text(code, text)
    if kind == "SUCCESS" and meaning is Meaning.UNKNOWN:
        meaning = Meaning.CHANGED
    return Line(meaning, code, text, _wait_s(found, text) if meaning is Meaning.WAIT else None)


def _by_text(code: str, text: str) -> Meaning:
    said = text.lower()
    if _MINIMUM.search(said) or "too frequent" in said:
        return Meaning.WAIT
    if "no update required" in said or "no records need updating" in said or "duplicate" in said:
        return Meaning.UNCHANGED
    if "login" in said or "auth" in said:
        return Meaning.CREDENTIALS
    # 702 says by itself that it did not work; 700 and 707 say nothing that is known.
    return Meaning.FAILED if code == "702" else Meaning.UNKNOWN


def _worded(word: str, text: str) -> Line:
    name = re.sub(r"\s+", " ", word.upper())
    meaning = _BY_WORD[name]
    wait_s = ADDRESS_PAUSE_S if meaning is Meaning.WAIT else None
    return Line(meaning, name, "" if text.strip().upper() == name else text, wait_s)


def _wait_s(found: dict[str, str], text: str) -> float:
    told = _MINIMUM.search(text)
    seconds = told.group(1) if told else found.get("PARAM", "")
    return min(float(seconds), _LONGEST_WAIT_S) if seconds.isdecimal() else ADDRESS_PAUSE_S
