"""Making a container again. `docker/` and `demo/` implement it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import Field

from homelab_agent.platform.engine.models import ContainerState
from homelab_agent.platform.model import Model


class RestartPolicy(Model):
    """When the engine starts a container again by itself. `maximum_retries` for on-failure."""

    name: str = "no"
    maximum_retries: int = 0


NEVER_RESTART = RestartPolicy()


class Original(Model):
    """A container before anything is done to it: what cannot be read from it later any more.

    `platform` is None where it is the engine's own. `mac_addresses` is by network. `refusal` says
    why it cannot be made again, None where it can. No secret is in here: it may be journaled.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: ContainerState
    restart_policy: RestartPolicy = NEVER_RESTART
    platform: str | None = None
    mac_addresses: dict[str, str] = Field(default_factory=dict)
    refusal: str | None = None


class RecreateEngine(Protocol):
    """What it takes to replace a container. Raises only the errors of `platform.errors`.

    `Failed` or `Invalid` when the engine refuses a configuration; the rest as with `Engine`.
    """

    async def look(self, container_id: str) -> Original:
        """Return what a container is like, by id or name."""

    async def uses(self) -> dict[str, frozenset[str]]:
        """Return for each container, by id, the ids of those whose namespaces or volumes it uses.

        Links of the old kind count too.
        """

    async def create(
        self,
        original: Original,
        *,
        name: str,
        image: str,
        image_id: str,
        replaced: Mapping[str, str],
    ) -> str:
        """Make a container with every option of the original, and return its id; it does not run.

        What the original only has from its own image comes from the new image instead. Its unnamed
        volumes are the new one's too. `replaced`: ids of containers it uses, and what stands for
        them now.
        """

    async def copy_files(self, from_id: str, to_id: str, paths: Sequence[str]) -> None:
        """Give a container some files of another one; what is not there is left out."""

    async def start_helper(
        self,
        like_id: str,
        *,
        name: str,
        image: str,
        command: Sequence[str],
        labels: Mapping[str, str],
    ) -> str:
        """Run a command in a container that reaches what another one reaches; return its id.

        It has that one's mounts, environment and network, but none of its ports and addresses.
        """

    async def set_restart_policy(self, container_id: str, policy: RestartPolicy) -> None:
        """Change when the engine starts a container again."""

    async def rename(self, container_id: str, name: str) -> None:
        """Give a container another name."""

    async def remove(self, container_id: str, *, own_volumes: bool) -> None:
        """Remove a container, also a running one; `own_volumes`: with the unnamed ones it made."""

    async def health_limit_s(self, container_id: str) -> float | None:
        """Return after how long its health check must have decided; None where it has none."""

    async def addresses(self, container_id: str, port: int) -> tuple[str, ...]:
        """Return where a port of a running container may be reached, as host:port."""
