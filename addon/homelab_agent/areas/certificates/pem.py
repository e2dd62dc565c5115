"""Certificates out of the bytes of a file. Keys that stand beside them are never decoded."""

import base64
import binascii
import re

MOST_CERTIFICATES = 10

_BLOCK = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s(.*?)-----END", re.DOTALL)
_DER_SEQUENCE = 0x30


def certificates_in(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a PEM or DER file, in their order; empty if it has none."""
    if data[:1] == bytes((_DER_SEQUENCE,)):
        return (data,)
    found = []
    for block in _BLOCK.finditer(data):
        try:
            found.append(base64.b64decode(b"".join(block[1].split()), validate=True))
        except binascii.Error:
            continue
        if len(found) == MOST_CERTIFICATES:
            break
    return tuple(found)
