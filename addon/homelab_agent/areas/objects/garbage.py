"""What is garbage, and why what looks like it is kept: the rules of a careful person.

Only what nobody can miss goes. Whatever is in use, protected, young, or meant to be started again
stays, and says so.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.objects.inventory import ENDED, Everything
from homelab_agent.areas.objects.models import PruneItem, PruneKind, PrunePreview
from homelab_agent.platform.engine.images import EngineImage
from homelab_agent.platform.engine.labels import COMPOSE_PROJECT, label_protection
from homelab_agent.platform.engine.objects import CacheRecord, StoredNetwork, StoredVolume

ROLLBACK_PREFIX = "homelab-rollback/"
"""Under such a name an update keeps the image that it replaced."""

QUIET = timedelta(days=8)
"""How long a container must have rested: what runs once a week is no garbage."""

FRESH = timedelta(hours=1)
"""A volume or network as young as this may belong to something that is being set up."""

_KEPT_RUNNING = frozenset({"always", "unless-stopped"})
_BUILTIN = frozenset({"bridge", "host", "none", "docker_gwbridge", "podman"})
_SWARM_TASK = "com.docker.swarm.task.id"
_LONGEST_NAME = 120

type _Verdict = tuple[PruneItem, bool]
"""A thing, and whether it goes."""


def preview(
    kinds: Iterable[PruneKind],
    found: Everything,
    volume_bytes: dict[str, int | None],
    now: datetime,
) -> PrunePreview:
    """Return what of these kinds would go and what is kept; `volume_bytes` as last measured."""
    wanted = frozenset(kinds)
    verdicts: list[_Verdict] = []
    if PruneKind.CONTAINERS in wanted:
        verdicts.extend(_containers(found, now))
    if wanted & {PruneKind.IMAGES, PruneKind.UNUSED_IMAGES}:
        verdicts.extend(_images(found, wanted))
    if PruneKind.VOLUMES in wanted:
        verdicts.extend(_volumes(found, volume_bytes, now))
    if PruneKind.NETWORKS in wanted:
        verdicts.extend(_networks(found, now))
    if PruneKind.BUILD_CACHE in wanted:
        verdicts.extend((_cache_item(record), True) for record in removable_cache(found.cache))
    items = tuple(item for item, goes in verdicts if goes)
    return PrunePreview(
        hash=_hash(wanted, items),
        items=items,
        reclaimable_bytes=sum(item.size_bytes or 0 for item in items),
        kept=tuple(item for item, goes in verdicts if not goes),
    )


def is_builtin(network: StoredNetwork) -> bool:
    """Return whether a network is the engine's own, which cannot be removed."""
    return network.name in _BUILTIN or network.ingress


def removable_cache(records: tuple[CacheRecord, ...]) -> tuple[CacheRecord, ...]:
    """Return what can go from the build cache, each piece before those that it builds on."""
    going = {each.id: each for each in records if not each.in_use and not each.shared}
    while True:
        # What something builds on that stays, stays as well.
        held = {parent for each in records if each.id not in going for parent in each.parents}
        stuck = held & going.keys()
        if not stuck:
            break
        for record_id in stuck:
            del going[record_id]
    return _children_first(going)


def _children_first(records: dict[str, CacheRecord]) -> tuple[CacheRecord, ...]:
    ordered: dict[str, CacheRecord] = {}
    left = dict(records)
    while left:
        parents = {parent for each in left.values() for parent in each.parents}
        # A circle cannot be; should there be one, its pieces go in any order.
        leaves = [each for each in left if each not in parents] or list(left)
        for record_id in leaves:
            ordered[record_id] = left.pop(record_id)
    return tuple(ordered.values())


def _containers(found: Everything, now: datetime) -> Iterator[_Verdict]:
    for container in found.users.containers:
        if container.state not in ENDED:
            continue
        kept = _why_kept(container, now)
        item = PruneItem(
            kind=PruneKind.CONTAINERS,
            id=container.id,
            name=container.name,
            size_bytes=found.container_bytes.get(container.id),
            reason=kept or f"It ended more than {QUIET.days} days ago and nothing starts it again.",
        )
        yield item, kept is None


def _why_kept(container: Container, now: datetime) -> str | None:
    reason: str | None = None
    if container.protected_reason:
        reason = container.protected_reason
    elif _SWARM_TASK in container.labels:
        reason = "It belongs to a swarm service, which cleans up after itself."
    elif container.compose:
        reason = f"It belongs to the stack {container.compose.project}, which can be started again."
    elif container.restart_policy in _KEPT_RUNNING:
        reason = (
            f"It is meant to run (restart policy {container.restart_policy}): somebody stopped it."
        )
    elif now - (container.finished_at or container.created_at) < QUIET:
        reason = f"It ended within the last {QUIET.days} days."
    return reason


def _images(found: Everything, wanted: frozenset[PruneKind]) -> Iterator[_Verdict]:
    for image in found.images:
        kind = PruneKind.UNUSED_IMAGES
        if not image.tags and PruneKind.IMAGES in wanted:
            kind = PruneKind.IMAGES
        if kind not in wanted:
            continue
        kept = _why_image_kept(image, found.users.of_image(image))
        goes = "No container uses it." if image.tags else "It has no name and no container uses it."
        item = PruneItem(
            kind=kind,
            id=image.id,
            name=image_name(image),
            size_bytes=found.unique_bytes.get(image.id),
            reason=kept or goes,
        )
        yield item, kept is None


def image_name(image: EngineImage) -> str:
    """Return what a person calls an image: its names, else where it came from, else its id."""
    names = image.tags or tuple(digest.partition("@")[0] for digest in image.digests)
    return ", ".join(names) or image.id.removeprefix("sha256:")[:12]


def _why_image_kept(image: EngineImage, users: tuple[str, ...]) -> str | None:
    if labelled := label_protection(image.labels):
        return labelled
    if users:
        return used_by(users)
    if any(tag.startswith(ROLLBACK_PREFIX) for tag in image.tags):
        return "It is kept so that an update can be rolled back."
    return None


def _volumes(
    found: Everything, volume_bytes: dict[str, int | None], now: datetime
) -> Iterator[_Verdict]:
    for volume in found.volumes:
        kept = _why_object_kept(
            volume.labels, found.users.of_volume(volume), volume.created_at, now
        )
        item = PruneItem(
            kind=PruneKind.VOLUMES,
            id=volume.name,
            name=volume.name,
            size_bytes=volume_bytes.get(volume.name),
            reason=kept or _why_volume_goes(volume),
        )
        yield item, kept is None


def _why_volume_goes(volume: StoredVolume) -> str:
    if volume.anonymous:
        return "No container uses it, and nobody gave it a name."
    project = volume.labels.get(COMPOSE_PROJECT)
    of_stack = f" It belongs to the stack {project}." if project else ""
    return f"No container uses it.{of_stack} Its data is gone for good then."


def _networks(found: Everything, now: datetime) -> Iterator[_Verdict]:
    for network in found.networks:
        if is_builtin(network):
            continue
        users = found.users.of_network(network)
        kept = _why_object_kept(network.labels, users, network.created_at, now)
        if kept is None and network.scope != "local":
            kept = "It spans a swarm: other hosts may use it."
        item = PruneItem(
            kind=PruneKind.NETWORKS,
            id=network.id,
            name=network.name,
            size_bytes=None,
            reason=kept or "No container is in it.",
        )
        yield item, kept is None


def _why_object_kept(
    labels: dict[str, str], users: tuple[str, ...], created_at: datetime | None, now: datetime
) -> str | None:
    if labelled := label_protection(labels):
        return labelled
    if users:
        return used_by(users)
    if created_at is not None and now - created_at < FRESH:
        return "It was made within the last hour."
    return None


def used_by(users: tuple[str, ...]) -> str:
    """Return a sentence that names who uses something."""
    more = len(users) - 3
    return f"Used by {', '.join(users[:3])}{f' and {more} more' if more > 0 else ''}."


def _cache_item(record: CacheRecord) -> PruneItem:
    return PruneItem(
        kind=PruneKind.BUILD_CACHE,
        id=record.id,
        name=record.description[:_LONGEST_NAME] or record.id,
        size_bytes=record.size_bytes,
        reason="No build uses it right now; the next one makes it again.",
    )


def _hash(kinds: frozenset[PruneKind], items: tuple[PruneItem, ...]) -> str:
    shown = [sorted(kinds), sorted([item.kind, item.id, item.name] for item in items)]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:32]
