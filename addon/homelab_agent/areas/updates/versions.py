"""Versions for people, and which tag is newer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from homelab_agent.platform.engine.image_reference import short_digest

NOTES_LABEL = "homelab.release-notes"

_VERSION_LABELS = (
    "org.opencontainers.image.version",
    "org.label-schema.version",
    "io.hass.version",
)
_LINUXSERVER_LABEL = "build_version"
_LINUXSERVER = re.compile(r"version:-\s*(\S+)")

_SOURCE_LABELS = (
    "org.opencontainers.image.source",
    "org.opencontainers.image.url",
    "org.label-schema.vcs-url",
    "org.label-schema.url",
)
_GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:/.*)?")

_LONGEST_VERSION = 64
_LONGEST_URL = 500

_TAG = re.compile(
    r"(?P<front>v?|[a-z][a-z-]*-)(?P<numbers>\d{1,18}(?:\.\d{1,18}){0,5})(?P<rest>.*)"
)
_NUMBER = re.compile(r"\d{1,18}")
_PRE_RELEASE = re.compile(
    r"(?:^|[-._+]?)(?:alpha|beta|rc|dev|develop|pre|preview|nightly|snapshot|canary|edge|unstable|"
    r"test)(?:[-._]?#)?(?=$|[-._+])|^[ab]#$",
    re.IGNORECASE,
)


def readable(labels: Mapping[str, str], tag: str | None, digest: str | None) -> str | None:
    """Return the version of an image: its label, else a tag that is one, else a short digest."""
    labelled = next((labels[label] for label in _VERSION_LABELS if labels.get(label)), "")
    if not labelled and (found := _LINUXSERVER.search(labels.get(_LINUXSERVER_LABEL, ""))):
        labelled = found[1]
    labelled = labelled.strip()
    if labelled and len(labelled) <= _LONGEST_VERSION and labelled.isprintable():
        return labelled
    if tag and parse_tag(tag):
        return tag
    return short_digest(digest) if digest else None


def told_apart(
    installed: str | None, latest: str | None, digests: tuple[str, str]
) -> tuple[str | None, str | None]:
    """Return both versions; where they read the same, each with the beginning of its digest."""
    if installed is None or installed != latest:
        return installed, latest
    first, second = (f"{installed} ({short_digest(digest)})" for digest in digests)
    return first, second


def release_notes(labels: Mapping[str, str]) -> str | None:
    """Return where the release notes of an image are; None where its labels tell of no place."""
    if own := _address(labels.get(NOTES_LABEL, "")):
        return own
    for label in _SOURCE_LABELS:
        address = _address(labels.get(label, ""))
        if address is None:
            continue
        github = _GITHUB.fullmatch(address)
        return f"https://github.com/{github[1]}/{github[2]}/releases" if github else address
    return None


@dataclass(frozen=True, slots=True)
class TagVersion:
    """A tag that is a version. Only those of the same `kind` compare.

    `kind` is what stands around the numbers, as in `v` and `-alpine`. A final release is newer
    than what came before it under the same numbers.
    """

    kind: tuple[str, str]
    numbers: tuple[int, ...]
    final: bool
    rest_numbers: tuple[int, ...]

    @property
    def order(self) -> tuple[tuple[int, ...], bool, tuple[int, ...]]:
        """What to sort by."""
        return self.numbers, self.final, self.rest_numbers


def parse_tag(tag: str) -> TagVersion | None:
    """Read a tag as a version; None for one that is none, as `latest`."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    rest = found["rest"]
    if rest and rest[0] not in "-_+." and not re.fullmatch(r"(?:a|b|rc)\d+.*", rest):
        return None
    shape = _NUMBER.sub("#", rest)
    final_shape = _PRE_RELEASE.sub("", shape)
    return TagVersion(
        kind=(found["front"], final_shape),
        numbers=tuple(int(number) for number in found["numbers"].split(".")),
        final=final_shape == shape,
        rest_numbers=tuple(int(number) for number in _NUMBER.findall(rest)),
    )


def newest_tag(current: str, candidates: Iterable[str], *, any_length: bool = False) -> str | None:
    """Return the newest tag after `current`, of its kind; None where there is none.

    A pre-release is never newer than a final release. `any_length`: "1.29" may become "1.30.1".
    """
    now = parse_tag(current)
    if now is None:
        return None
    best, best_version = None, now
    for tag in candidates:
        version = parse_tag(tag)
        if version is None or version.kind != now.kind or (now.final and not version.final):
            continue
        if not any_length and len(version.numbers) != len(now.numbers):
            continue
        if version.order > best_version.order:
            best, best_version = tag, version
    return best


def _address(text: str) -> str | None:
    """Return a text that is an address of a web page."""
    text = text.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    is_page = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
    whole = text.isascii() and text.isprintable() and len(text) <= _LONGEST_URL and " " not in text
    return text if is_page and whole else None
