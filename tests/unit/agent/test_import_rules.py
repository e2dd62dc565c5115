"""The floors of the agent: imports only go down, and never sideways into another's insides."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import homelab_agent

ROOT = Path(homelab_agent.__file__).parent
PACKAGE = "homelab_agent"
FLOORS = {"platform": 0, "areas": 1, "api": 2}
TOP = 3
SHARED_BY_AREAS = {"service", "models"}
LATE = ("alembic", "asyncpg", "cryptography", "dns", "icmplib", "zeroconf")

type Imports = dict[str, set[str]]


def module_name(file: Path, root: Path = ROOT) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join((PACKAGE, *(part for part in parts if part != "__init__")))


def imported(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def read_imports(root: Path = ROOT) -> Imports:
    files = {module_name(file, root): file for file in root.rglob("*.py")}
    found: Imports = {}
    for name, file in files.items():
        found[name] = set()
        for target in imported(ast.parse(file.read_text())):
            # "from a.b import c": c is a module, or a name in the module a.b
            known = target if target in files else target.rpartition(".")[0]
            found[name].add(known if known in files else target)
    return found


def floor(name: str) -> int:
    parts = name.split(".")
    return FLOORS.get(parts[1], TOP) if len(parts) > 1 else -1


def area(name: str) -> str | None:
    parts = name.split(".")
    return parts[2] if len(parts) > 2 and parts[1] == "areas" else None


def wrong_arrows(imports: Imports) -> list[str]:
    wrong = []
    for name, targets in imports.items():
        for target in targets:
            if not target.startswith(f"{PACKAGE}."):
                continue
            up = floor(target) > floor(name)
            other = area(target) not in {None, area(name)} and area(name) is not None
            inside = target.rpartition(".")[2] not in SHARED_BY_AREAS
            if up or (other and inside):
                wrong.append(f"{name} imports {target}")
    return wrong


@pytest.fixture(scope="module")
def imports() -> Imports:
    return read_imports()


def test_imports_go_down_and_never_into_another_area(imports: Imports) -> None:
    assert len(imports) > 50
    assert wrong_arrows(imports) == []


def test_no_module_needs_itself_in_a_circle(imports: Imports) -> None:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(("library", "home"), [("aiodocker", "engine"), ("psutil", "host")])
def test_only_one_place_knows_docker_and_one_the_machine(
    imports: Imports, library: str, home: str
) -> None:
    outside = [
        name
        for name, targets in imports.items()
        if any(target.split(".")[0] == library for target in targets)
        and not name.startswith(f"{PACKAGE}.platform.{home}.")
    ]
    assert outside == []


def test_only_the_door_serves(imports: Imports) -> None:
    outside = [
        name
        for name, targets in imports.items()
        if any(target.startswith("aiohttp.web") for target in targets)
        and not name.startswith(f"{PACKAGE}.api.")
    ]
    assert outside == []


def test_a_wrong_arrow_would_be_found() -> None:
    area_a, area_b = f"{PACKAGE}.areas.a", f"{PACKAGE}.areas.b"
    assert wrong_arrows({f"{PACKAGE}.platform.clock": {f"{area_a}.models"}})
    assert wrong_arrows({f"{area_a}.service": {f"{PACKAGE}.api.server"}})
    assert wrong_arrows({f"{area_a}.service": {f"{PACKAGE}.app"}})
    assert wrong_arrows({f"{area_a}.service": {f"{area_b}.store"}})
    assert not wrong_arrows({f"{area_a}.service": {f"{area_b}.service", f"{area_b}.models"}})
    assert not wrong_arrows({f"{area_a}.service": {f"{area_a}.store", PACKAGE}})


def test_what_is_heavy_is_loaded_only_where_it_is_used() -> None:
    script = f"import sys, homelab_agent.app; print([m for m in {LATE!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT.parent,
    )
    assert found.stdout.strip() == "[]"


def test_the_command_line_answers_without_loading_the_agent() -> None:
    script = (
        "import sys, homelab_agent.cli; "
        "print([m for m in ('aiohttp', 'sqlalchemy', 'structlog') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT.parent,
    )
    assert found.stdout.strip() == "[]"
