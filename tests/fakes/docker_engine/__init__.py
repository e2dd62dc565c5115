"""A small real server: as much of Docker's API as the agent uses, and misbehaving on demand.

Each side of the engine has a file; `server.py` is the door before them.
"""

from tests.fakes.docker_engine.container import FakeContainer
from tests.fakes.docker_engine.faults import Fault
from tests.fakes.docker_engine.logs import frame
from tests.fakes.docker_engine.server import FakeDocker, fake_docker

__all__ = ["FakeContainer", "FakeDocker", "Fault", "fake_docker", "frame"]
