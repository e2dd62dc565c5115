"""Which version a person reads, and which tag is the newer one."""

import pytest

from homelab_agent.areas.updates.tag_filter import matching
from homelab_agent.areas.updates.versions import newest_tag, readable, release_notes, told_apart
from homelab_agent.platform.errors import Invalid

DIGEST = "sha256:1a2b3c4d5e6f" + "0" * 52


@pytest.mark.parametrize(
    ("labels", "tag", "shown"),
    [
        ({"org.opencontainers.image.version": "1.29.3"}, "latest", "1.29.3"),
        (
            {"build_version": "Linuxserver.io version:- 4.0.15-ls298 Build-date:- x"},
            "latest",
            "4.0.15-ls298",
        ),
        ({}, "v2.11", "v2.11"),
        ({}, "latest", "1a2b3c4d5e6f"),
        ({"org.opencontainers.image.version": "x" * 500}, "latest", "1a2b3c4d5e6f"),
        ({"org.opencontainers.image.version": "1\n2"}, "8-alpine", "8-alpine"),
    ],
)
def test_the_version_is_one_that_a_person_can_read(
    labels: dict[str, str], tag: str, shown: str
) -> None:
    assert readable(labels, tag, DIGEST) == shown


def test_two_images_of_the_same_version_do_not_look_the_same() -> None:
    other = DIGEST.replace("1a2b", "ffff")
    assert told_apart("24.04", "24.04", (DIGEST, other)) == (
        "24.04 (1a2b3c4d5e6f)",
        "24.04 (ffff3c4d5e6f)",
    )
    assert told_apart("1", "2", (DIGEST, other)) == ("1", "2")


@pytest.mark.parametrize(
    ("current", "candidates", "newest"),
    [
        ("0.9", ("0.8", "0.14", "0.10"), "0.14"),
        ("1.29.2", ("1.29.3", "1.30.0-rc1", "2.0.0-beta.2", "1.29"), "1.29.3"),
        ("1.29-alpine", ("1.30", "1.30-alpine", "1.31-slim"), "1.30-alpine"),
        ("1.29-alpine3.20", ("1.29-alpine3.21", "1.30"), "1.29-alpine3.21"),
        ("v1.2.3", ("1.2.4", "v1.2.4"), "v1.2.4"),
        ("2.0.0-rc1", ("2.0.0-rc2", "1.9.0"), "2.0.0-rc2"),
        ("2.0.0-rc2", ("2.0.0", "2.0.0-rc1"), "2.0.0"),
        ("4.0.15-ls298", ("4.0.15-ls299", "4.0.14-ls400"), "4.0.15-ls299"),
        ("16", ("17", "16.1", "17-alpine"), "17"),
        ("2026.10.0", ("2026.11.0", "2026.9.9"), "2026.11.0"),
        ("3.0", ("3.0", "2.9"), None),
        ("latest", ("1.0", "2.0"), None),
        ("1.0", ("latest", "nightly", "sha-1234567", "1.1-nightly", "1.1.0-alpha"), None),
    ],
)
def test_the_newer_tag_is_of_the_same_kind(
    current: str, candidates: tuple[str, ...], newest: str | None
) -> None:
    assert newest_tag(current, candidates) == newest


def test_a_floating_tag_may_become_a_whole_version_when_the_pattern_says_so() -> None:
    assert newest_tag("1.29", ("1.30.1", "1.29.4"), any_length=True) == "1.30.1"


@pytest.mark.parametrize(
    ("labels", "notes"),
    [
        (
            {"org.opencontainers.image.source": "https://github.com/a/b.git"},
            "https://github.com/a/b/releases",
        ),
        ({"org.opencontainers.image.url": "https://example.org/app"}, "https://example.org/app"),
        (
            {"homelab.release-notes": "https://example.org/n", "org.opencontainers.image.url": "x"},
            "https://example.org/n",
        ),
        ({"org.opencontainers.image.source": "javascript:alert(1)"}, None),
        ({"org.opencontainers.image.source": "https://user:pass@example.org/"}, None),
        ({"org.opencontainers.image.source": "http://["}, None),
        ({}, None),
    ],
)
def test_release_notes_are_a_link_or_nothing(labels: dict[str, str], notes: str | None) -> None:
    assert release_notes(labels) == notes


async def test_a_pattern_means_whole_tags() -> None:
    tags = ("1.2.3", "1.2.3-alpine", "x1.2.3")
    assert await matching(r"\d+\.\d+\.\d+", tags) == ("1.2.3",)


@pytest.mark.parametrize("pattern", ["(", "*", "(?P<", "a{99999999999}"])
async def test_a_pattern_that_is_none_names_the_label(pattern: str) -> None:
    with pytest.raises(Invalid, match=r"homelab\.update\.tags"):
        await matching(pattern, ("1",))


async def test_a_pattern_that_never_ends_stops_nothing_else() -> None:
    with pytest.raises(Invalid, match="needs more than"):
        await matching("(a+)+b", ("a" * 120,), deadline_s=0.5)
