"""Values of records: written in one way, and as in a zone file.

A TXT value is its bare text as UTF-8. Bytes that are no UTF-8 are characters of Unicode's private
use, U+F780 for 0x80 to U+F7FF for 0xFF, so that whatever a zone holds comes back as it was.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

from homelab_agent.areas.dns.models import RecordType
from homelab_agent.platform.dns_names import is_numeric, uniform_name
from homelab_agent.platform.errors import Invalid

LONGEST_STRING = 255
"""Bytes of one string of a TXT; a longer text is several of them, read as one."""

LONGEST_TEXT = 8192
"""Bytes of a whole TXT: with more, no answer fits into what servers and resolvers take."""

_HIGHEST_16 = 65535
_HIGHEST_8 = 255
_PRIVATE = 0xF700
_RAW_BYTES = re.compile("[\uf780-\uf7ff]")
_CAA_TAG = re.compile(r"[a-zA-Z0-9]{1,15}")
_CAA_VALUE = re.compile(r"[\x20-\x7e]*")
_CAA_PARTS = 3
_MX_PARTS = 2
_SRV_PARTS = 4
_NAMES_AT = {
    RecordType.CNAME: 0,
    RecordType.NS: 0,
    RecordType.MX: 1,
    RecordType.SRV: 3,
}
"""Which word of a value is a name."""


def uniform_value(record_type: RecordType, text: str, *, field: str) -> str:
    """Return a value that a person gave in the one way that it is written here.

    Raises:
        Invalid: it is no value of this type; it says why and how one looks.
    """
    return _READERS[record_type](text if record_type is RecordType.TXT else text.strip(), field)


def presented(record_type: RecordType, value: str) -> str:
    """Return a value as in a zone file: names with their final dot, TXT quoted and in pieces."""
    if record_type is RecordType.TXT:
        raw = text_bytes(value)
        pieces = [raw[at : at + LONGEST_STRING] for at in range(0, len(raw), LONGEST_STRING)]
        return " ".join(_quoted(piece) for piece in pieces or [b""])
    if record_type not in _NAMES_AT:
        return value
    words = value.split()
    at = _NAMES_AT[record_type]
    words[at] = words[at] if words[at] == "." else f"{words[at]}."
    return " ".join(words)


def from_presented(record_type: RecordType, text: str) -> str:
    """Return a value of a zone file as it is written here. What is odd there stays odd."""
    match record_type:
        case RecordType.TXT:
            return bytes_text(b"".join(_strings(text)))
        case RecordType.A | RecordType.AAAA:
            with suppress(ValueError):
                return str(ip_address(text.strip()))
            return text.strip()
        case RecordType.CAA:
            flags, tag, value = [*text.split(None, 2), "", "", ""][:_CAA_PARTS]
            return f"{flags} {tag.lower()} {_quoted(b''.join(_strings(value)))}"
        case _:
            words = text.split()
            at = _NAMES_AT[record_type]
            if len(words) > at:
                words[at] = words[at].lower().removesuffix(".") or "."
            return " ".join(words)


def text_bytes(text: str) -> bytes:
    """Return the bytes of a TXT."""
    return b"".join(
        bytes([ord(part) - _PRIVATE]) if _RAW_BYTES.fullmatch(part) else part.encode()
        for part in re.split(f"({_RAW_BYTES.pattern})", text)
        if part
    )


def bytes_text(raw: bytes) -> str:
    """Return the text of a TXT's bytes."""
    text = raw.decode(errors="surrogateescape")
    # A character that stands for a byte is one here: else two values would look the same.
    text = _RAW_BYTES.sub(lambda one: one.group().encode().decode("ascii", "surrogateescape"), text)
    return "".join(chr(ord(char) - 0xDC00 + _PRIVATE) if _is_raw(char) else char for char in text)


def _is_raw(char: str) -> bool:
    return "\udc80" <= char <= "\udcff"


def _address(kind: type[IPv4Address | IPv6Address], text: str, field: str) -> str:
    example = "192.0.2.10" if kind is IPv4Address else "2001:db8::10"
    try:
        # A scope ("%eth0") is of one machine, and no part of an address that others are told.
        address = kind(text.replace("%", " "))
    except ValueError as error:
        version = "IPv4" if kind is IPv4Address else "IPv6"
        other = "AAAA" if kind is IPv4Address else "A"
        raise Invalid(
            f"“{text}” is no {version} address",
            field=field,
            hint=f"Write it as {example}; an address of the other kind is a record of type {other}",
        ) from error
    return str(address)


def _name(text: str, field: str) -> str:
    return _no_address(uniform_name(text, field=field, underscore=False), field)


def _alias(text: str, field: str) -> str:
    return _no_address(uniform_name(text, field=field), field)


def _no_address(name: str, field: str) -> str:
    if is_numeric(name):
        raise Invalid(
            f"“{name}” is an address, and the name of a host is wanted",
            field=field,
            hint="An address is the value of an A record: give a name that has one",
        )
    return name


def _mail(text: str, field: str) -> str:
    words = text.split()
    if len(words) != _MX_PARTS:
        raise Invalid(
            f"“{text}” is no MX: it is a preference and the name of a mail server",
            field=field,
            hint="Write it as: 10 mail.example.org",
        )
    preference = _number(words[0], _HIGHEST_16, "The preference", field)
    if words[1] == ".":
        if preference:
            raise Invalid(
                "“.” as the mail server says that there is no mail, and has the preference 0",
                field=field,
                hint="Write it as: 0 .",
            )
        return "0 ."
    return f"{preference} {_name(words[1], field)}"


def _service(text: str, field: str) -> str:
    words = text.split()
    if len(words) != _SRV_PARTS:
        raise Invalid(
            f"“{text}” is no SRV: it is priority, weight, port and the name of a host",
            field=field,
            hint="Write it as: 10 5 5060 sip.example.org",
        )
    numbers = [
        _number(word, _HIGHEST_16, what, field)
        for word, what in zip(words, ("The priority", "The weight", "The port"), strict=False)
    ]
    target = "." if words[3] == "." else _name(words[3], field)
    return " ".join([*map(str, numbers), target])


def _authority(text: str, field: str) -> str:
    parts = text.split(None, 2)
    if len(parts) != _CAA_PARTS or not _CAA_TAG.fullmatch(parts[1]):
        raise Invalid(
            f"“{text}” is no CAA: it is a flag, a tag and a value in quotes",
            field=field,
            hint='Write it as: 0 issue "letsencrypt.org"',
        )
    flags = _number(parts[0], _HIGHEST_8, "The flag", field)
    value = b"".join(_strings(parts[2])).decode("latin-1")
    if not _CAA_VALUE.fullmatch(value):
        raise Invalid(
            "The value of a CAA has only letters, digits and signs of ASCII",
            field=field,
            hint='Write it as: 0 issue "letsencrypt.org"',
        )
    return f"{flags} {parts[1].lower()} {_quoted(value.encode())}"


def _text(text: str, field: str) -> str:
    try:
        raw = text_bytes(text)
    except UnicodeEncodeError as error:
        raise Invalid(
            "The text has half a character in it, and cannot be written",
            field=field,
            hint="Copy it again from where it came",
        ) from error
    if len(raw) > LONGEST_TEXT:
        raise Invalid(
            f"The text is {len(raw)} bytes long, and {LONGEST_TEXT} are the most",
            field=field,
            hint="Shorten it; no name server gives out more",
        )
    return bytes_text(raw)


def _number(word: str, highest: int, what: str, field: str) -> int:
    if not (word.isascii() and word.isdigit()) or int(word) > highest:
        raise Invalid(
            f"{what} is “{word}”, and must be a number from 0 to {highest}",
            field=field,
            hint=f"Put a number from 0 to {highest} there",
        )
    return int(word)


def _quoted(raw: bytes) -> str:
    """Return bytes as a string of a zone file."""
    return '"' + "".join(map(_escaped, raw)) + '"'


def _escaped(byte: int) -> str:
    char = chr(byte)
    if char in '"\\':
        return f"\\{char}"
    return char if " " <= char <= "~" else f"\\{byte:03d}"


_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(\d{3}|.)", re.DOTALL)


def _strings(text: str) -> Iterator[bytes]:
    """Yield the strings that a zone file has, in quotes or bare."""
    for found in _PIECE.finditer(text):
        piece = found.group(1) if found.group(1) is not None else found.group(2)
        yield _ESCAPE.sub(_unescaped, piece.encode())


def _unescaped(escape: re.Match[bytes]) -> bytes:
    what = escape.group(1)
    if len(what) == 1:
        return what
    return bytes([min(int(what), _HIGHEST_8)])


_READERS: dict[RecordType, Callable[[str, str], str]] = {
    RecordType.A: lambda text, field: _address(IPv4Address, text, field),
    RecordType.AAAA: lambda text, field: _address(IPv6Address, text, field),
    RecordType.CNAME: _alias,
    RecordType.NS: _name,
    RecordType.MX: _mail,
    RecordType.SRV: _service,
    RecordType.TXT: _text,
    RecordType.CAA: _authority,
}
