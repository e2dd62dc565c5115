"""A container of the fake engine, as Docker would describe it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.docker_engine.use import FakeUse

NEVER = "0001-01-01T00:00:00Z"


@dataclass
class FakeContainer:
    """One container, as Docker would describe it."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    image: str = "busybox"
    tty: bool = False
    health: str | None = None
    created: str = ""
    id: str = ""
    status: str = "created"
    exit_code: int = 0
    started: str = NEVER
    finished: str = NEVER
    restart_count: int = 0
    restart_policy: str = ""
    log: bytes = b""
    ports: dict[str, list[dict[str, str]] | None] = field(default_factory=dict)
    pid: int = 4242
    network_mode: str = "bridge"
    uses: FakeUse = field(default_factory=FakeUse)

    @property
    def running(self) -> bool:
        return self.status in {"running", "paused", "restarting"}

    def inspected(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "Status": self.status,
            "Running": self.running,
            "Paused": self.status == "paused",
            "OOMKilled": False,
            "ExitCode": self.exit_code,
            "Pid": self.pid if self.running else 0,
            "StartedAt": self.started,
            "FinishedAt": self.finished,
        }
        if self.health:
            # Docker itself calls a stopped container with a check unhealthy.
            state["Health"] = {"Status": self.health if self.running else "unhealthy", "Log": []}
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Created": self.created,
            "Image": "sha256:" + "0" * 64,
            "RestartCount": self.restart_count,
            "State": state,
            "Config": {
                "Image": self.image,
                "Labels": self.labels,
                "Tty": self.tty,
                "Healthcheck": {"Test": ["CMD", "true"]} if self.health else None,
            },
            "HostConfig": {
                "RestartPolicy": {"Name": self.restart_policy, "MaximumRetryCount": 0},
                "NetworkMode": self.network_mode,
            },
            "NetworkSettings": {"Ports": self.ports if self.running else {}},
        }

    def listed(self) -> dict[str, Any]:
        return {
            "Id": self.id,
            "Names": [f"/{self.name}", f"/other/{self.name}"],
            "Image": self.image,
            "ImageID": "sha256:" + "0" * 64,
            "Created": int(datetime.fromisoformat(self.created).timestamp()),
            "State": self.status,
            "Status": f"Up 2 hours ({self.health})" if self.health else "Up 2 hours",
            "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "IP": "::", "Type": "tcp"}],
            "Labels": self.labels,
        }
