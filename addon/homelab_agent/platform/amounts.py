"""Amounts in words, as people read them."""

_STEP = 1000
_FEW = 10
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60))


def size_text(count: float) -> str:
    """Return a number of bytes with a unit: 512 B, 1.5 GB, 23 TB."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if round(count) < _STEP or unit == "TB":
            break
        count /= _STEP
    digits = 1 if round(count, 1) < _FEW and unit != "B" else 0
    return f"{count:.{digits}f}".removesuffix(".0") + f" {unit}"


def time_text(seconds: float) -> str:
    """Return a length of time in its largest fitting unit: 40 seconds, 1.5 hours, 12 days."""
    unit, length_s = next(
        ((unit, length_s) for unit, length_s in _UNITS if seconds >= length_s), ("second", 1)
    )
    count = round(seconds / length_s, 1)
    words = f"{count:.1f}".removesuffix(".0") if count < _FEW else f"{count:.0f}"
    return f"{words} {unit}" if words == "1" else f"{words} {unit}s"
