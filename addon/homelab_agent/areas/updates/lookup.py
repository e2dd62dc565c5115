"""What containers follow, and what its registry said of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field

from homelab_agent.areas.updates.registry.interface import (
    Answered,
    Described,
    ImageRegistry,
    Platform,
)
from homelab_agent.areas.updates.tag_filter import matching
from homelab_agent.areas.updates.versions import newest_tag
from homelab_agent.platform.engine.image_reference import ImageReference, parse_reference
from homelab_agent.platform.engine.images import EngineImage
from homelab_agent.platform.errors import (
    AgentError,
    Failed,
    Invalid,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from homelab_agent.platform.model import Model

_REGISTRY_WIDE = (RateLimited, TimedOut, Unavailable)


@dataclass(frozen=True, slots=True)
class Follow:
    """What a container follows: a name, and newer tags too where there is a pattern."""

    reference: ImageReference
    pattern: str | None = None

    @property
    def key(self) -> str:
        """What is the same for all containers that follow the same."""
        return str(self.reference) + (f" {self.pattern}" if self.pattern else "")


def registry_of(key: str) -> str:
    """Return the registry that the key of a `Follow` is about."""
    return parse_reference(key.partition(" ")[0]).registry


class Lookup(Model):
    """The newest answer, and what went wrong last. `described` is by platform.

    `target` is what an update would take. After a failure the older answer stays, for its ETag,
    but nothing is concluded from it.
    """

    checked_at: datetime
    next_at: datetime
    target: str | None = None
    answered: Answered | None = None
    described: dict[str, Described] = Field(default_factory=dict)
    trouble: str | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether it is time to look again; also once a wrong clock was set back."""
        return not self.checked_at <= now < self.next_at

    def is_fresh(self, now: datetime, within: timedelta) -> bool:
        """Return whether the look was so short a time ago."""
        return timedelta(0) <= now - self.checked_at < within


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How one look went, before it is known when the next one is."""

    target: str | None
    answered: Answered | None
    described: dict[str, Described]
    trouble: str | None = None
    retry_after_s: float | None = None


async def look(
    registry: ImageRegistry, follow: Follow, images: Iterable[EngineImage], known: Lookup | None
) -> Answer:
    """Ask the registry; never raises an `AgentError`, but tells of it in words."""
    target, answered, described = None, None, {}
    if known is not None:
        target, answered, described = known.target, known.answered, known.described
    try:
        newest = await _target(registry, follow)
        same_target = str(newest) == target
        target = str(newest)
        before = answered if same_target else None
        answered = await registry.answer(newest, before)
        if before is None or before.digest != answered.digest:
            described = {}
        described = await _describe(registry, follow, newest, answered, described, images)
    except AgentError as error:
        return Answer(
            target=target,
            answered=answered,
            described=described,
            trouble=f"{error.message} {error.hint or ''}".strip(),
            retry_after_s=error.retry_after_s if isinstance(error, _REGISTRY_WIDE) else None,
        )
    return Answer(target=target, answered=answered, described=described)


def own_digest(image: EngineImage, reference: ImageReference) -> str | None:
    """Return what the image's registry calls it; None for one that never came from there."""
    for text in image.digests:
        try:
            found = parse_reference(text)
        except Invalid:
            continue
        if (found.registry, found.repository) == (reference.registry, reference.repository):
            return found.digest
    return None


def platform_of(image: EngineImage) -> Platform:
    """Return what an image is made for."""
    return Platform(
        os=image.os or "linux", architecture=image.architecture or "amd64", variant=image.variant
    )


async def _target(registry: ImageRegistry, follow: Follow) -> ImageReference:
    reference = follow.reference
    if follow.pattern is None or reference.tag is None:
        return reference
    tags = await registry.tags(reference)
    wanted = await matching(follow.pattern, (reference.tag, *tags))
    newest = newest_tag(reference.tag, wanted, any_length=reference.tag not in wanted)
    return reference.with_tag(newest) if newest else reference


async def _describe(
    registry: ImageRegistry,
    follow: Follow,
    target: ImageReference,
    answered: Answered,
    known: dict[str, Described],
    images: Iterable[EngineImage],
) -> dict[str, Described]:
    """Look behind the digest for each platform on which something else is installed."""
    described = dict(known)
    for image in images:
        platform = platform_of(image)
        current = target == follow.reference and _has(image, follow.reference, answered.digest)
        if current or str(platform) in described:
            continue
        try:
            described[str(platform)] = await registry.describe(target, answered.digest, platform)
        except _REGISTRY_WIDE:
            # That there is something else is known; what it is called is told the next time.
            continue
        except (NotFound, Failed) as error:
            raise Failed(error.message, hint=error.hint) from error
    return described


def _has(image: EngineImage, reference: ImageReference, digest: str) -> bool:
    return (
        any(text.endswith(f"@{digest}") for text in image.digests)
        and own_digest(image, reference) is not None
    )
