"""How far a pull is, and what its failures mean."""

from dataclasses import dataclass

from homelab_agent.platform.engine.docker.image_documents import PullLine
from homelab_agent.platform.engine.image_reference import ImageReference
from homelab_agent.platform.errors import (
    AgentError,
    Conflict,
    Denied,
    Failed,
    NotFound,
    RateLimited,
    Unavailable,
)

_DOWNLOAD = 0.7
"""How much of the work of a layer fetching it is; the rest is unpacking."""

_MEGABYTE = 1_000_000

_DONE = frozenset({"Pull complete", "Already exists"})
_FETCHED = frozenset({"Download complete", "Verifying Checksum"})


@dataclass(slots=True)
class _Layer:
    share: float = 0.0
    fetched_bytes: int = 0
    total_bytes: int = 0


class PullMeter:
    """Adds up the layers. What it tells never goes back, though layers are found on the way."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}
        self._fraction = 0.0

    @property
    def fraction(self) -> float | None:
        """How much is done, 0..1; None before any layer is known."""
        if not self._layers:
            return None
        shares = [layer.share for layer in self._layers.values()]
        self._fraction = max(self._fraction, sum(shares) / len(shares))
        return self._fraction

    @property
    def words(self) -> str:
        """What is being done, for a person."""
        total = sum(layer.total_bytes for layer in self._layers.values())
        if not total:
            return "Asking the registry"
        fetched = sum(layer.fetched_bytes for layer in self._layers.values())
        if fetched < total:
            return f"Downloading: {fetched / _MEGABYTE:.0f} of {total / _MEGABYTE:.0f} MB"
        return f"Unpacking {total / _MEGABYTE:.0f} MB"

    def feed(self, line: PullLine) -> None:
        """Take in what one line tells."""
        if line.status == "Pulling fs layer":
            self._layers.setdefault(line.id, _Layer())
        elif line.status in _DONE:
            layer = self._layers.setdefault(line.id, _Layer())
            layer.share, layer.fetched_bytes = 1.0, layer.total_bytes
        elif line.id in self._layers:
            _advance(self._layers[line.id], line)


def _advance(layer: _Layer, line: PullLine) -> None:
    current = line.progress.current if line.progress else 0
    total = line.progress.total if line.progress else 0
    done = min(current / total, 1.0) if total else 0.0
    if line.status == "Downloading" and total:
        layer.share = _DOWNLOAD * done
        layer.fetched_bytes, layer.total_bytes = min(current, total), total
    elif line.status in _FETCHED:
        layer.share, layer.fetched_bytes = _DOWNLOAD, layer.total_bytes
    elif line.status == "Extracting":
        layer.share = _DOWNLOAD + (1 - _DOWNLOAD) * done
        layer.fetched_bytes = layer.total_bytes


@dataclass(frozen=True, slots=True)
class _Meaning:
    signs: tuple[str, ...]
    error: type[AgentError]
    hint: str


_MEANINGS = (
    _Meaning(
        ("toomanyrequests", "too many requests", "rate limit"),
        RateLimited,
        "The registry limits how much is pulled: try again later, or log in to it (registries).",
    ),
    _Meaning(
        ("no space left on device",),
        Failed,
        "The host's disk is full: remove images that nothing uses, then try again.",
    ),
    _Meaning(
        ("no matching manifest", "does not match the specified platform"),
        Failed,
        "There is no such image for this host's processor.",
    ),
    _Meaning(
        ("no basic auth credentials", "unauthorized", "authentication required"),
        Failed,
        "Give the agent a user and a password for this registry (setting registries).",
    ),
    _Meaning(
        ("manifest unknown", "not found", "name unknown", "repository does not exist"),
        NotFound,
        "Check the name and the tag; a private image needs a login (setting registries).",
    ),
    _Meaning(
        ("http response to https client",),
        Unavailable,
        "Docker itself must be told of it: insecure-registries in its daemon.json.",
    ),
    _Meaning(
        ("x509", "certificate"),
        Unavailable,
        "Docker itself must trust it: put its CA into /etc/docker/certs.d/HOST/ca.crt.",
    ),
    _Meaning(
        ("dial tcp", "no such host", "i/o timeout", "tls handshake", "deadline exceeded", "eof"),
        Unavailable,
        "Check the network and the registry, then try again.",
    ),
)


def pull_error(reference: ImageReference, said: str) -> AgentError:
    """Return the error for what the engine says about a pull that failed."""
    lowered = said.lower()
    could_not = f"Docker could not pull {reference}: {said}"
    for meaning in _MEANINGS:
        if any(sign in lowered for sign in meaning.signs):
            return meaning.error(could_not, hint=meaning.hint)
    return Failed(could_not)


def explained(reference: ImageReference, error: AgentError) -> AgentError:
    """Return what an error before the first line means; only the engine's own words tell."""
    said = error.message.rpartition(f"pull {reference}: ")[2]
    if isinstance(error, (Denied, Conflict)) or said == error.message:
        return error
    return pull_error(reference, said)
