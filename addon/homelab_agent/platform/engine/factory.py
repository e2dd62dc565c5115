"""Which engine the settings ask for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homelab_agent.platform.clock import Clock, utc_now

if TYPE_CHECKING:
    from homelab_agent.platform.engine.execution import ExecutionEngine
    from homelab_agent.platform.engine.images import ImageEngine
    from homelab_agent.platform.engine.interface import Engine
    from homelab_agent.platform.engine.objects import ObjectEngine
    from homelab_agent.platform.engine.recreate import RecreateEngine
    from homelab_agent.platform.engine.stats import StatsEngine
    from homelab_agent.platform.engine.swarm import SwarmEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFaces:
    """One engine, seen from each side that some area needs. Closing `containers` closes it."""

    containers: Engine
    execution: ExecutionEngine
    images: ImageEngine
    objects: ObjectEngine
    recreate: RecreateEngine
    stats: StatsEngine
    swarm: SwarmEngine


def open_engine(docker_url: str, *, demo: bool = False, clock: Clock = utc_now) -> EngineFaces:
    """Return the engine, not yet connected. Each is imported only where it is used."""
    if demo:
        from homelab_agent.platform.engine.demo.containers import DemoEngine  # noqa: PLC0415
        from homelab_agent.platform.engine.demo.execution import DemoExecution  # noqa: PLC0415
        from homelab_agent.platform.engine.demo.images import DemoImages  # noqa: PLC0415
        from homelab_agent.platform.engine.demo.objects import DemoObjects  # noqa: PLC0415
        from homelab_agent.platform.engine.demo.recreate import DemoRecreate  # noqa: PLC0415
        from homelab_agent.platform.engine.demo.stats import DemoStats  # noqa: PLC0415
        from homelab_agent.platform.engine.demo.swarm import DemoSwarm  # noqa: PLC0415

        containers, images = DemoEngine(clock=clock), DemoImages(clock=clock)
        return EngineFaces(
            containers=containers,
            execution=DemoExecution(),
            images=images,
            objects=DemoObjects(containers, images, clock),
            recreate=DemoRecreate(containers),
            stats=DemoStats(containers),
            swarm=DemoSwarm(),
        )
    from homelab_agent.platform.engine.docker.containers import DockerEngine  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.execution import DockerExecution  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.images import DockerImages  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.objects import DockerObjects  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.recreate import DockerRecreate  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.stats import DockerStats  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.swarm import DockerSwarm  # noqa: PLC0415
    from homelab_agent.platform.engine.docker.transport import Transport  # noqa: PLC0415

    transport = Transport(docker_url)
    return EngineFaces(
        containers=DockerEngine(transport),
        execution=DockerExecution(transport),
        images=DockerImages(transport),
        objects=DockerObjects(transport),
        recreate=DockerRecreate(transport),
        stats=DockerStats(transport),
        swarm=DockerSwarm(transport),
    )
