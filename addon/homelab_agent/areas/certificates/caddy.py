"""Where Caddy keeps its certificates."""

from collections.abc import Iterator
from pathlib import Path

_USUAL = (
    Path("/var/lib/caddy/.local/share/caddy"),  # packages of distributions
    Path("/data/caddy"),  # the official image
    Path("/root/.local/share/caddy"),
)


def caddy_stores(setting: Path | None) -> tuple[Path, ...]:
    """Return the folders to look in: what is set, else the usual ones."""
    return (setting,) if setting else tuple(dict.fromkeys((*_USUAL, *_own())))


def _own() -> Iterator[Path]:
    try:
        yield Path.home() / ".local/share/caddy"
    except RuntimeError:
        return  # nobody has a home here
