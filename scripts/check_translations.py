"""Checks that every text Home Assistant will look for exists, in every language."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGRATION = Path(__file__).parent.parent / "custom_components" / "homelab"
SOURCE = "en"
KEY_IN_CODE = re.compile(r"""translation_key\s*(?::\s*\w+\s*)?=\s*["']([^"']+)["']""")
PLACEHOLDER = re.compile(r"\{(\w+)\}")

Tree = dict[str, Any]


def flat(tree: Tree, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text of a translation file."""
    for key, value in tree.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from flat(value, here)
        else:
            yield here, str(value)


def read_all(problems: list[str]) -> dict[str, Tree]:
    """Read every JSON file of the integration; name those that are broken."""
    files: dict[str, Tree] = {}
    for file in sorted(INTEGRATION.rglob("*.json")):
        name = str(file.relative_to(INTEGRATION))
        try:
            files[name] = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            problems.append(f"{name}: not JSON: {error}")
    return files


def check_languages(source: Tree, files: dict[str, Tree]) -> Iterator[str]:
    """Every language has the texts of the source, with the same placeholders."""
    texts = dict(flat(source))
    for name, tree in files.items():
        if not name.startswith("translations/"):
            continue
        other = dict(flat(tree))
        yield from (f"{name}: lacks {key}" for key in texts.keys() - other.keys())
        yield from (f"{name}: {key} is not in {SOURCE}.json" for key in other.keys() - texts.keys())
        for key in texts.keys() & other.keys():
            if set(PLACEHOLDER.findall(texts[key])) != set(PLACEHOLDER.findall(other[key])):
                yield f"{name}: {key} has other placeholders than {SOURCE}.json"


def check_icons(source: Tree, icons: Tree) -> Iterator[str]:
    """Every icon belongs to an entity, action or trigger that has a name."""
    for platform, keys in icons.get("entity", {}).items():
        named = source.get("entity", {}).get(platform, {})
        yield from (
            f"icons.json: entity.{platform}.{key} has no text" for key in keys if key not in named
        )
    for section in ("services", "triggers", "conditions"):
        named = source.get(section, {})
        yield from (
            f"icons.json: {section}.{key} has no text"
            for key in icons.get(section, {})
            if key not in named
        )


def fields_of(declared: Tree) -> Iterator[str]:
    """Yield the fields of an action, those within sections too."""
    for name, field in declared.items():
        yield from fields_of(field["fields"]) if "fields" in field else (name,)


def check_actions(source: Tree, actions: Tree) -> Iterator[str]:
    """Every action and each of its fields has a name and a description."""
    texts = source.get("services", {})
    for action, declared in actions.items():
        if action.startswith("."):
            continue
        wanted = [(action, texts.get(action, {}))]
        fields = texts.get(action, {}).get("fields", {})
        wanted += [
            (f"{action}.{field}", fields.get(field, {}))
            for field in fields_of((declared or {}).get("fields", {}))
        ]
        for name, text in wanted:
            yield from (
                f"services.yaml: {name} has no {part}"
                for part in ("name", "description")
                if part not in text
            )


def check_code(source: Tree) -> Iterator[str]:
    """Every translation key named in the code exists."""
    known = {
        key for section in ("exceptions", "issues", "selector") for key in source.get(section, {})
    }
    known |= {key for keys in source.get("entity", {}).values() for key in keys}
    known |= set(source.get("device", {}))
    for file in sorted(INTEGRATION.rglob("*.py")):
        for key in KEY_IN_CODE.findall(file.read_text("utf-8")):
            if key not in known:
                yield f"{file.relative_to(INTEGRATION)}: the translation key {key} has no text"


def main() -> int:
    """Print what is missing; end with 1 when something is."""
    problems: list[str] = []
    files = read_all(problems)
    source = files.get(f"translations/{SOURCE}.json")
    if source is None:
        problems.append(f"translations/{SOURCE}.json is missing or broken")
    else:
        services = INTEGRATION / "services.yaml"
        actions = yaml.safe_load(services.read_text("utf-8")) if services.exists() else {}
        problems += check_languages(source, files)
        problems += check_icons(source, files.get("icons.json", {}))
        problems += check_actions(source, actions or {})
        problems += check_code(source)
    print("\n".join(sorted(problems)))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
