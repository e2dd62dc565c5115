"""What registries answer, as much of it as is read."""

import hashlib
import re
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from homelab_agent.areas.updates.registry.interface import Platform

ACCEPT = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
"""An index that is not asked for is "not found", even where it is there."""

_DIGEST = re.compile(r"^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")

_VARIANTS = {"arm": ("v7", "v6", "v5", ""), "arm64": ("v8", "")}
"""From the newest on: a processor also runs what was made for those after it."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _MadeFor(_Document):
    os: str = ""
    architecture: str = ""
    variant: str = ""


class Descriptor(_Document):
    """What a manifest points to."""

    digest: str = Field(pattern=_DIGEST.pattern)
    platform: _MadeFor | None = None


class Manifest(_Document):
    """An index has `manifests`, one for each platform; a manifest has `config`."""

    manifests: tuple[Descriptor, ...] = ()
    config: Descriptor | None = None


class _Config(_Document):
    labels: dict[str, str] | None = Field(default=None, alias="Labels")


class ImageConfig(_Document):
    """The configuration of an image."""

    config: _Config | None = None


class TagList(_Document):
    """One page of a repository's tags."""

    tags: tuple[str, ...] | None = None


def is_digest(text: str) -> bool:
    """Return whether this names a content by its hash."""
    return bool(_DIGEST.fullmatch(text))


def digest_of(body: bytes, like: str = "sha256:") -> str:
    """Return the digest of a body, by the same hash as `like`."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def choose(manifests: Iterable[Descriptor], wanted: Platform) -> Descriptor | None:
    """Return the manifest that an engine would take; None where there is none for it."""
    made_for = {
        each.platform.variant: each
        for each in reversed(tuple(manifests))
        if each.platform
        and (each.platform.os, each.platform.architecture) == (wanted.os, wanted.architecture)
    }
    for variant in _fitting(wanted):
        if variant in made_for:
            return made_for[variant]
    return None


def _fitting(wanted: Platform) -> tuple[str, ...]:
    own = wanted.variant or ""
    known = _VARIANTS.get(wanted.architecture, ("",))
    if own in known and own:
        return known[known.index(own) :]
    return (own, *known)
