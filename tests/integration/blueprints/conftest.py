"""Home Assistant with the blueprints, and what their automations sent."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copytree

import pytest

from tests.integration.blueprints.runs import BLUEPRINTS, Told
from tests.integration.home import Home


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """A configuration folder that has the blueprints where a person would import them to."""
    copytree(BLUEPRINTS, Path(hass_tmp_config_dir) / "blueprints", dirs_exist_ok=True)
    return hass_tmp_config_dir


@pytest.fixture
async def told(home: Home) -> AsyncIterator[Told]:
    """What is sent. Automations that wait are ended before all else is."""
    # Where the clocks are never put forward or back, on whatever day this is.
    await home.hass.config.async_set_time_zone("UTC")
    yield Told(home.hass)
    await home.hass.services.async_call(
        "automation", "turn_off", {"entity_id": "all"}, blocking=True
    )
