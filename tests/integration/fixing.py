"""What a person sees of the repairs, and how they go through a fix flow."""

from typing import Any

from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from custom_components.homelab.const import DOMAIN
from tests.integration.home import Home, until


def shown(home: Home, issue: str) -> list[str]:
    """Return the ids of the issues of a kind that a person sees."""
    return [
        entry.issue_id
        for entry in ir.async_get(home.hass).issues.values()
        if entry.domain == DOMAIN
        and entry.translation_key == issue
        and entry.active
        and entry.dismissed_version is None
    ]


async def appears(home: Home, issue: str) -> str:
    """Wait for an issue; return its id."""
    await until(lambda: shown(home, issue), f"the issue {issue}")
    (issue_id,) = shown(home, issue)
    return issue_id


async def vanishes(home: Home, issue: str) -> None:
    """Wait until an issue is gone."""
    await until(lambda: not shown(home, issue), f"the end of the issue {issue}")


async def fix(home: Home, issue_id: str, *choices: str) -> Any:
    """Go through the fix flow, choosing from its menus; return the last step."""
    manager = repairs_flow_manager(home.hass)
    assert manager is not None
    step = await manager.async_init(DOMAIN, context={"issue_id": issue_id})
    await is_said(home, issue_id, step)
    for choice in choices:
        answer = {"next_step_id": choice} if step["type"] == "menu" else {}
        step = await manager.async_configure(step["flow_id"], answer)
        await is_said(home, issue_id, step)
    return step


async def is_said(home: Home, issue_id: str, step: Any) -> None:
    """Check that a step has words, and that all their placeholders are filled in."""
    issue = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
    key = issue.translation_key if issue else None
    for language in ("en", "de"):
        texts = await async_get_translations(home.hass, language, "issues", {DOMAIN})
        base = f"component.homelab.issues.{key}.fix_flow"
        filled = step.get("description_placeholders") or {}
        if step["type"] in {"menu", "form"} and key:
            texts[f"{base}.step.{step['step_id']}.description"].format(**filled)
            for option in step.get("menu_options") or ():
                assert texts[f"{base}.step.{step['step_id']}.menu_options.{option}"]
            for error in (step.get("errors") or {}).values():
                assert texts[f"{base}.error.{error}"].format(**filled)
        elif step["type"] == "abort" and key:
            texts[f"{base}.abort.{step['reason']}"].format(**filled)


async def is_told(home: Home, issue_id: str) -> None:
    """Check that an issue has words in every language, and that all placeholders are filled in."""
    issue = ir.async_get(home.hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    for language in ("en", "de"):
        texts = await async_get_translations(home.hass, language, "issues", {DOMAIN})
        base = f"component.homelab.issues.{issue.translation_key}"
        parts = ("title",) if issue.is_fixable else ("title", "description")
        for part in parts:
            text = texts[f"{base}.{part}"].format(**issue.translation_placeholders or {})
            assert "?" not in text
