"""What Home Assistant shows above the button that updates a container."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .client import ContainerUpdate, Outcome, RecreateStatus
from .const import DOMAIN


async def release_notes(
    hass: HomeAssistant, update: ContainerUpdate, status: RecreateStatus | None
) -> str:
    """Return Markdown in Home Assistant's language: image, digests, policy, the last outcome."""
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})

    def say(key: str, **placeholders: str) -> str:
        return texts[f"component.{DOMAIN}.common.{key}"].format(**placeholders)

    facts = {
        "notes_image": update.image,
        "notes_new_image": update.latest_image,
        "notes_installed_digest": update.installed_digest,
        "notes_latest_digest": update.latest_digest,
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
