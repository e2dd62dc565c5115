"""In which order the services of a stack start; they stop in reverse."""

from collections.abc import Iterable, Mapping


def in_order(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the services so that each comes after those it needs; by name where that is open.

    Services that are needed but not there do not matter. Where they need each other in a circle,
    the one that comes first by name begins.
    """
    waiting = {name: {each for each in needs[name] if each in needs} - {name} for name in needs}
    ordered: list[str] = []
    while waiting:
        ready = sorted(name for name, missing in waiting.items() if not missing & waiting.keys())
        chosen = ready or [min(waiting)]
        for name in chosen:
            del waiting[name]
        ordered += chosen
    return tuple(ordered)
