"""Loads the integration's client by itself: as a package of its own, without Home Assistant."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

NAME = "homelab_client"
FOLDER = Path(__file__).parents[2] / "custom_components" / "homelab" / "client"


def client_module(name: str) -> ModuleType:
    """Return a module of the client, such as "models"."""
    if NAME not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            NAME, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[NAME] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{NAME}.{name}")
