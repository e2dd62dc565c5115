"""What all that is known means for one container."""

from datetime import datetime

from homelab_agent.areas.containers.models import Container
from homelab_agent.areas.updates.lookup import Follow, Lookup, own_digest, platform_of
from homelab_agent.areas.updates.models import ContainerUpdate, UpdatePolicy, UpdateState
from homelab_agent.areas.updates.policy import ContainerPolicy
from homelab_agent.areas.updates.registry.interface import Described
from homelab_agent.areas.updates.versions import readable, release_notes, told_apart
from homelab_agent.platform.engine.image_reference import parse_reference, short_digest
from homelab_agent.platform.engine.images import EngineImage
from homelab_agent.platform.errors import Invalid
from homelab_agent.platform.model import Model


class Attempt(Model):
    """An automatic update that was not kept: it is not tried again with the same digest."""

    digest: str
    at: datetime
    reason: str


def without_lookup(
    container: Container,
    policy: ContainerPolicy,
    state: UpdateState,
    reason: str | None,
    image: EngineImage | None = None,
) -> ContainerUpdate:
    """Return what is shown where no registry has to be asked, or could not be."""
    update = _base(container, policy, state, reason)
    if image is None:
        return update
    digest = next((text.rpartition("@")[2] for text in image.digests), None)
    return update.model_copy(
        update={
            "installed_version": readable(image.labels, _tag(container.image), digest),
            "installed_digest": digest,
            "release_notes_url": release_notes({**image.labels, **container.labels}),
        }
    )


def judge(
    container: Container,
    policy: ContainerPolicy,
    follow: Follow,
    image: EngineImage,
    lookup: Lookup,
    attempt: Attempt | None,
) -> ContainerUpdate:
    """Compare what is installed with what the registry said."""
    installed = own_digest(image, follow.reference)
    version = readable(image.labels, follow.reference.tag, installed)
    update = _base(container, policy, UpdateState.UNKNOWN, None).model_copy(
        update={
            "installed_version": version,
            "installed_digest": installed,
            "checked_at": lookup.checked_at,
            "release_notes_url": release_notes({**image.labels, **container.labels}),
        }
    )
    if lookup.trouble is not None or lookup.answered is None or lookup.target is None:
        return update.model_copy(update={"reason": _trouble(lookup)})
    digest = lookup.answered.digest
    described = lookup.described.get(str(platform_of(image)))
    same_name = lookup.target == str(follow.reference)
    if same_name and _is_installed(image, installed, digest, described):
        return update.model_copy(
            update={
                "state": UpdateState.CURRENT,
                "latest_image": lookup.target,
                "latest_version": version,
                "latest_digest": digest,
            }
        )
    return _available(update, container, lookup, described, attempt)


def _available(
    update: ContainerUpdate,
    container: Container,
    lookup: Lookup,
    described: Described | None,
    attempt: Attempt | None,
) -> ContainerUpdate:
    target, digest = lookup.target or "", lookup.answered.digest if lookup.answered else ""
    labels = described.labels if described else {}
    latest = readable(labels, _tag(target), digest) if described else short_digest(digest)
    installed, latest = told_apart(
        update.installed_version, latest, (update.installed_digest or "", digest)
    )
    return update.model_copy(
        update={
            "state": UpdateState.AVAILABLE,
            "reason": _not_by_itself(update.policy, container, attempt, digest),
            "latest_image": target,
            "installed_version": installed,
            "latest_version": latest,
            "latest_digest": digest,
            "release_notes_url": release_notes({**labels, **_own(container)})
            or update.release_notes_url,
        }
    )


def _is_installed(
    image: EngineImage, installed: str | None, digest: str, described: Described | None
) -> bool:
    """Return whether the digest means the image that is here, by any of its names.

    An index that was only made anew for other processors is no update.
    """
    here = {image.id, installed, *(text.rpartition("@")[2] for text in image.digests)}
    return bool(here & {digest, *(described.digests if described else ())})


def _not_by_itself(
    policy: UpdatePolicy, container: Container, attempt: Attempt | None, digest: str
) -> str | None:
    if policy is not UpdatePolicy.AUTOMATIC:
        return None
    if container.protected_reason is not None:
        return f"It is not updated by itself: {container.protected_reason}"
    if attempt is None or attempt.digest != digest:
        return None
    return (
        f"The automatic update on {attempt.at.astimezone():%Y-%m-%d} was not kept: "
        f"{attempt.reason} It is not tried again by itself until there is another image."
    )


def _trouble(lookup: Lookup) -> str:
    why = lookup.trouble or "The registry was not asked yet."
    return f"{why} It is asked again after {lookup.next_at.astimezone():%Y-%m-%d %H:%M}."


def _base(
    container: Container, policy: ContainerPolicy, state: UpdateState, reason: str | None
) -> ContainerUpdate:
    automatic = policy.policy is UpdatePolicy.AUTOMATIC
    return ContainerUpdate(
        key=container.key,
        state=state,
        reason=reason,
        policy=policy.policy,
        window=str(policy.window) if automatic else None,
        image=container.image,
    )


def _own(container: Container) -> dict[str, str]:
    """Return the labels that a person gave; those of the old image speak of the old image."""
    return {key: value for key, value in container.labels.items() if key.startswith("homelab.")}


def _tag(image: str) -> str | None:
    try:
        return parse_reference(image).tag
    except Invalid:
        return None
