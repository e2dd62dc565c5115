"""Which engine the settings ask for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homelab_agent.platform.clock import Clock, utc_now

if TYPE_CHECKING:
    from homelab_agent.platform.engine.images import ImageEngine
    from homelab_agent.platform.engine.interface import Engine
    from homelab_agent.platform.engine.stats import StatsEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFaces:
    """One engine, seen from each side that some area needs. Closing `containers` closes it."""

    containers: Engine
    stats: StatsEngine
    images: ImageEngine


def open_engine(docker_url: str, *, demo: bool = False, clock: Clock = utc_now) -> EngineFaces:
    """Return the engine, not yet connected. Each is imported only where it is used."""
    if demo:
        from homelab_agent.platform.engine.demo import DemoEngine  # noqa: PLC0415
        from homelab_agent.platform.engine.demo_stats import DemoStats  # noqa: PLC0415
        from homelab_agent.platform.engine.demo_images import DemoImages  # noqa: PLC0415

        return EngineFaces(
            containers=DemoEngine(clock=clock),
            images=DemoImages(clock=clock),
        )
    from homelab_agent.platform.engine.docker import DockerEngine  # noqa: PLC0415
    from homelab_agent.platform.engine.docker_stats import DockerStats  # noqa: PLC0415
    from homelab_agent.platform.engine.docker_images import DockerImages  # noqa: PLC0415
    from homelab_agent.platform.engine.transport import Transport  # noqa: PLC0415

    transport = Transport(docker_url)
    return EngineFaces(
        containers=DockerEngine(transport),
        images=DockerImages(transport),
    )
