"""LDAP (RFC 4511, 4.14): the extended operation StartTLS and its answer, in BER."""

import asyncio

from homelab_agent.areas.certificates.starttls.interface import NoStartTls, read_exactly

_OID = b"1.3.6.1.4.1.1466.20037"
_MOST_ANSWER_BYTES = 64 * 1024
_SEQUENCE, _INTEGER, _ENUMERATED = 0x30, 0x02, 0x0A
_EXTENDED_REQUEST, _EXTENDED_RESPONSE, _REQUEST_NAME = 0x77, 0x78, 0x80
_LONG_LENGTH = 0x80
_SUCCESS = 0
_RESULTS = {
    1: "operations error",
    2: "protocol error: it does not know StartTLS",
    13: "confidentiality required",
    50: "insufficient access rights",
    51: "busy",
    52: "unavailable",
    53: "unwilling to perform",
    80: "other error",
}


async def prepare(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bring an LDAP server to the point where the handshake begins; `NoStartTls` if it refuses."""
    name = _element(_REQUEST_NAME, _OID)
    message_id = _element(_INTEGER, b"\x01")
    writer.write(_element(_SEQUENCE, message_id + _element(_EXTENDED_REQUEST, name)))
    result = _result(await _answer(reader))
    if result != _SUCCESS:
        words = _RESULTS.get(result, f"result {result}")
        raise NoStartTls(f"The LDAP server refuses StartTLS: {words}.")


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Return the contents of the message that the server sends."""
    tag, length = await read_exactly(reader, 2)
    if tag != _SEQUENCE:
        raise NoStartTls("What answers there does not speak LDAP.")
    if length >= _LONG_LENGTH:
        length = int.from_bytes(await read_exactly(reader, min(length - _LONG_LENGTH, 8)))
    if length > _MOST_ANSWER_BYTES:
        raise NoStartTls("The LDAP server announces an answer that is too long.")
    return await read_exactly(reader, length)


def _result(message: bytes) -> int:
    """Return the code of an extended response: message id, response, code."""
    tag, _, rest = _first(message)
    if tag == _INTEGER:
        tag, response, _ = _first(rest)
        if tag == _EXTENDED_RESPONSE:
            tag, code, _ = _first(response)
            if tag == _ENUMERATED and code:
                return int.from_bytes(code)
    raise NoStartTls("What answers there does not speak LDAP.")


def _first(data: bytes) -> tuple[int, bytes, bytes]:
    """Return tag and contents of the first element, and what follows it."""
    if len(data) < 2:  # noqa: PLR2004 - a tag and a length
        raise NoStartTls("The LDAP server's answer is cut off.")
    tag, length, start = data[0], data[1], 2
    if length >= _LONG_LENGTH:
        start += length - _LONG_LENGTH
        length = int.from_bytes(data[2:start])
    if len(data) < start + length:
        raise NoStartTls("The LDAP server's answer is cut off.")
    return tag, data[start : start + length], data[start + length :]


def _element(tag: int, contents: bytes) -> bytes:
    return bytes((tag, len(contents))) + contents
