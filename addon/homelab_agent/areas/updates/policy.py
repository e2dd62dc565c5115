"""What a container's labels say about its updates, over the settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from homelab_agent.areas.updates.models import UpdatePolicy
from homelab_agent.platform.errors import Invalid

POLICY_LABEL = "homelab.update"
WINDOW_LABEL = "homelab.update.window"
TAGS_LABEL = "homelab.update.tags"

LONGEST_PATTERN = 200
_SHOWN = 60

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """A time of the day, local to the host; it may pass midnight."""

    begin: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """Return whether a local moment is inside; the end is not."""
        now = moment.time()
        if self.begin <= self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPolicy:
    """What holds for one container. `tags`: a regular expression for newer tags, off if None."""

    policy: UpdatePolicy
    window: Window
    tags: str | None = None


def read_window(text: str) -> Window:
    """Read `03:00-05:00`; raise `Invalid` for anything else."""
    found = _WINDOW.fullmatch(text.strip())
    if not found:
        raise Invalid(f"{text[:_SHOWN]!r} is no time of the day.", hint="As in 03:00-05:00.")
    window = Window(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    if window.begin == window.end:
        raise Invalid(f"{text[:_SHOWN]!r} begins when it ends.", hint="As in 03:00-05:00.")
    return window


def policy_of(labels: Mapping[str, str], default: ContainerPolicy) -> ContainerPolicy:
    """Return what holds for a container with these labels.

    Raises:
        Invalid: a label has a value that means nothing; `field` is the label.
    """
    policy, window, tags = default.policy, default.window, default.tags
    if POLICY_LABEL in labels:
        policy = _policy(labels[POLICY_LABEL])
    if WINDOW_LABEL in labels:
        try:
            window = read_window(labels[WINDOW_LABEL])
        except Invalid as error:
            raise _wrong(WINDOW_LABEL, error.message, "Give it a time as 03:00-05:00.") from None
    if labels.get(TAGS_LABEL):
        tags = labels[TAGS_LABEL]
        if len(tags) > LONGEST_PATTERN:
            raise _wrong(
                TAGS_LABEL,
                f"it is longer than {LONGEST_PATTERN} characters.",
                "Give it a shorter regular expression.",
            )
    return ContainerPolicy(policy=policy, window=window, tags=tags)


def _policy(text: str) -> UpdatePolicy:
    try:
        return UpdatePolicy(text.strip().lower())
    except ValueError:
        allowed = ", ".join(UpdatePolicy)
        raise _wrong(
            POLICY_LABEL, f"{text[:_SHOWN]!r} is none of {allowed}.", "Correct or remove it."
        ) from None


def _wrong(label: str, why: str, remedy: str) -> Invalid:
    return Invalid(f"The container's label {label} is wrong: {why}", field=label, hint=remedy)
