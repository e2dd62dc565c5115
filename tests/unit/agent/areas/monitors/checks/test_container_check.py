from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homelab_agent.areas.monitors.check_settings import ContainerCheckSettings
from homelab_agent.areas.monitors.checks.codes import CheckCode
from homelab_agent.areas.monitors.checks.container_check import ContainerCheck
from tests.fakes.commanded import Commanded, commanded
from tests.fakes.docker_engine import FakeDocker, fake_docker
