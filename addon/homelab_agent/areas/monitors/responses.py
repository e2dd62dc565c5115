"""Response times as a histogram: small, exact to 3 %, and one can be added to another.

A slot is 6 % wide. What lies in it is told as the middle of it, so that nothing is told more than
3 % wrong. Below a tenth of a millisecond and above ten minutes everything is one slot.
"""

import math
from collections.abc import Mapping

RELATIVE_ERROR = 0.03
_SMALLEST_MS = 0.1
_WIDTH = math.log(1.06)
_LAST = int(math.log(600_000 / _SMALLEST_MS) / _WIDTH)

type Responses = dict[int, int]
"""How many response times lie in each slot; slots without any are left out."""


def slot_of(response_ms: float) -> int:
    """Return the slot of a response time."""
    if response_ms <= _SMALLEST_MS:
        return 0
    return min(int(math.log(response_ms / _SMALLEST_MS) / _WIDTH), _LAST)


def quantile_ms(responses: Mapping[int, int], share: float) -> float | None:
    """Return the response time that a share (0..1) of all does not exceed; None without any."""
    total = sum(responses.values())
    if total == 0:
        return None
    wanted = max(1, math.ceil(total * share))
    seen = 0
    for slot in sorted(responses):
        seen += responses[slot]
        if seen >= wanted:
            break
    return _SMALLEST_MS * math.exp((slot + 0.5) * _WIDTH)


def encode(responses: Mapping[int, int]) -> bytes:
    """Return it as bytes: for each slot its distance to the one before, and its number."""
    written = bytearray()
    before = 0
    for slot in sorted(responses):
        _write(written, slot - before)
        _write(written, responses[slot])
        before = slot
    return bytes(written)


def add_encoded(responses: Responses, data: bytes, sign: int = 1) -> None:
    """Add to `responses` what `encode` wrote; with `sign` -1 take it away."""
    slot, position = 0, 0
    while position < len(data):
        distance, position = _read(data, position)
        number, position = _read(data, position)
        slot += distance
        left = responses.get(slot, 0) + sign * number
        if left:
            responses[slot] = left
        else:
            responses.pop(slot, None)


def _write(written: bytearray, number: int) -> None:
    """Append a number in pieces of 7 bits, the lowest first."""
    while number > 0x7F:  # noqa: PLR2004  # what fits into 7 bits
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)


def _read(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the last piece
            return number, position
        shift += 7
