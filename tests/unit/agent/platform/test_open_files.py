"""The agent asks for the files it needs, and is content with what a system grants."""

import resource
import subprocess
import sys

import pytest

from homelab_agent.platform.open_files import WANTED

ASK = """
from homelab_agent.platform.open_files import open_files_allowed
print(open_files_allowed())
"""
_, MOST = resource.getrlimit(resource.RLIMIT_NOFILE)


@pytest.mark.parametrize("hard", [600, min(WANTED, MOST)])
def test_as_many_as_wanted_or_as_the_system_lets_have(hard: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    told = subprocess.run(
        [sys.executable, "-c", ASK], preexec_fn=limit, capture_output=True, text=True, check=True
    )

    assert int(told.stdout) == hard
