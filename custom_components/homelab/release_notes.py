"""What Home Assistant shows above the button that updates a container."""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .client import ContainerUpdate, Outcome, RecreateStatus
from .const import DOMAIN

_SHORT: Final = slice(len("sha256:"), len("sha256:") + 12)


async def release_notes(
    hass: HomeAssistant, update: ContainerUpdate, status: RecreateStatus | None
) -> str:
    """Return Markdown in Home Assistant's language: image, digests, policy, the last outcome."""
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})

    def say(key: str, **placeholders: str) -> str:
        return texts[f"component.{DOMAIN}.common.{key}"].format(**placeholders)

    facts = {
        "notes_image": update.image,
        "notes_new_image": None if update.latest_image == update.image else update.latest_image,
        "notes_installed_digest": short_digest(update.installed_digest),
        "notes_latest_digest": short_digest(update.latest_digest),
        "notes_reason": update.reason,
        "notes_window": update.window,
        "notes_rollback": status and status.rollback_image,
    }
    lines = [f"- {say(key)}: `{fact}`" for key, fact in facts.items() if fact]
    lines.append(f"- {say(f'notes_policy_{update.policy.value}')}")
    paragraphs = ["\n".join(lines), say("notes_safety")]
    last = status.last if status else None
    if last is not None and last.outcome is Outcome.UNDONE:
        version = last.to_version or last.to_image
        paragraphs.append(say("notes_undone", version=version, reason=last.reason or ""))
        if last.log:
            log = "\n".join(line.text for line in last.log)
            paragraphs.append(f"```\n{log}\n```")
    return "\n\n".join(paragraphs)


def short_digest(digest: str | None) -> str | None:
    """Return the twelve digits that Docker shows too; all of them would not fit a dialog."""
    return None if digest is None else digest[_SHORT]
