import re
from pathlib import Path

from homelab_agent.platform.settings import Settings

ADDON = Path(__file__).parents[3] / "addon"


def test_every_setting_is_explained_to_the_person_who_installs_the_agent() -> None:
    page = (ADDON / "DOCS.md").read_text()
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.MULTILINE)
    assert set(Settings.model_fields) <= set(re.findall(r"\w+", " ".join(rows)))


def test_the_app_offers_no_option_that_would_keep_the_agent_from_starting() -> None:
    schema = (ADDON / "config.yaml").read_text().partition("\nschema:\n")[2]
    options = re.findall(r"^  (\w+):", schema, re.MULTILINE)
    assert options
    assert set(options) <= set(Settings.model_fields)
