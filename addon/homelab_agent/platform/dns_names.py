"""Names as the DNS writes them: lower case, ASCII, without the final dot."""

import re
import unicodedata
from contextlib import suppress

import idna

from homelab_agent.platform.errors import Invalid

LONGEST_NAME = 253
LONGEST_LABEL = 63

_WILDCARD = "*"
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_A_LABEL = "xn--"


def uniform_name(text: str, *, field: str, wildcard: bool = False, underscore: bool = True) -> str:
    """Return a name in the one way that it is written here: "Büro.lan." is "xn--bro-hoa.lan".

    `wildcard` allows "*" as the first label. Without `underscore` it is the name of a host.

    Raises:
        Invalid: DNS can have no such name; it names `field`, what is wrong and the remedy.
    """
    labels = _labels(text, field)
    if labels[0] == _WILDCARD and not wildcard:
        raise Invalid(
            f"{text} has a wildcard, and there can be none here",
            field=field,
            hint="Name one host, without the *",
        )
    first = 1 if labels[0] == _WILDCARD else 0
    if first == len(labels):
        raise Invalid(
            "A wildcard alone is no name",
            field=field,
            hint="Put it in front of a name, as in *.example.org",
        )
    made = [*labels[:first], *(_label(label, text, field) for label in labels[first:])]
    name = ".".join(made)
    if not underscore and "_" in name:
        raise Invalid(
            f"{text} is no name of a host: it has an underscore",
            field=field,
            hint="Hosts have letters, digits and hyphens; use a hyphen instead",
        )
    if len(name) > LONGEST_NAME:
        raise Invalid(
            f"The name is {len(name)} characters long, and {LONGEST_NAME} are the most",
            field=field,
            hint="Use a shorter name; an international one is longer in the DNS than it looks",
        )
    return name


def shown_name(name: str) -> str:
    """Return a name as people read it: an international one in its own letters."""
    return ".".join(_shown_label(label) for label in name.split("."))


def searchable(text: str) -> str:
    """Return a text so that one contains the other however either was typed.

    Upper and lower case are the same, and so are a letter with an accent and the two put together.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def is_within(name: str, zone: str) -> bool:
    """Return whether a name is the zone's own or below it. Both are uniform."""
    return name == zone or name.endswith(f".{zone}")


def is_numeric(name: str) -> bool:
    """Return whether a uniform name is read as an IPv4 address: its last part is a number."""
    return name.rpartition(".")[2].isdecimal()


def _labels(text: str, field: str) -> list[str]:
    try:
        # It also makes a dot of the other full stops that there are.
        mapped = idna.uts46_remap(text.strip(), std3_rules=False, transitional=False)
    except idna.IDNAError as error:
        raise _not_international(text, field, error) from error
    labels = mapped.removesuffix(".").split(".")
    if labels == [""]:
        raise Invalid(
            "The name is empty", field=field, hint="Give a whole name, as in www.example.org"
        )
    if "" in labels:
        raise Invalid(
            f"{text} has an empty part: two dots, or one in front",
            field=field,
            hint="Put exactly one dot between two parts",
        )
    return labels


def _label(label: str, text: str, field: str) -> str:
    if label == _WILDCARD or (label.isascii() and _WILDCARD in label):
        raise Invalid(
            f"{text}: a wildcard is the whole first part of a name, and nowhere else",
            field=field,
            hint="Write it as *.example.org",
        )
    if label.isascii() and len(label) > LONGEST_LABEL:
        raise _too_long(label, field)
    if not label.isascii() or label.startswith(_A_LABEL):
        label = _a_label(label, text, field)
    if not _LABEL.fullmatch(label):
        raise Invalid(
            f"“{label}” in {text} is no part of a name",
            field=field,
            hint="Letters, digits and hyphens, no hyphen at either end, and no blanks",
        )
    return label


def _a_label(label: str, text: str, field: str) -> str:
    try:
        unicode = idna.ulabel(label)
        return idna.alabel(unicode).decode()
    except idna.IDNAError as error:
        if "too long" in str(error).lower():
            raise _too_long(label, field) from error
        raise _not_international(text, field, error) from error


def _too_long(label: str, field: str) -> Invalid:
    return Invalid(
        f"“{label[:20]}…” is too long for one part of a name: {LONGEST_LABEL} characters are the "
        "most",
        field=field,
        hint="Shorten the part between the dots",
    )


def _not_international(text: str, field: str, error: idna.IDNAError) -> Invalid:
    return Invalid(
        f"{text} cannot be written in the DNS: {error}",
        field=field,
        hint="Use letters and digits of one script; signs and emoji are not allowed",
    )


def _shown_label(label: str) -> str:
    with suppress(idna.IDNAError):
        if label.startswith(_A_LABEL):
            return idna.ulabel(label)
    return label
