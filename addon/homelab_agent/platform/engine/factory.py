"""Which engine the settings ask for."""

from typing import TYPE_CHECKING

from homelab_agent.platform.clock import Clock, utc_now

if TYPE_CHECKING:
    from homelab_agent.platform.engine.interface import Engine


def open_engine(docker_url: str, *, demo: bool = False, clock: Clock = utc_now) -> Engine:
    """Return the engine, not yet connected. Each is imported only where it is used."""
    if demo:
        from homelab_agent.platform.engine.demo import DemoEngine  # noqa: PLC0415

        return DemoEngine(clock=clock)
    from homelab_agent.platform.engine.docker import DockerEngine  # noqa: PLC0415

    return DockerEngine(docker_url)
