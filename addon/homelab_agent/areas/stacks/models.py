"""Compose projects as the API and the stream show them."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from homelab_agent.platform.engine.models import ContainerHealth
from homelab_agent.platform.model import Model

STACK_KIND = "stack"


class StackState(StrEnum):
    """RUNNING: all of it runs and nothing is unhealthy. DEGRADED: some of it does not.

    STOPPED: none of it runs. UNKNOWN: deployed, but nothing of it is there.
    """

    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class StackService(Model):
    """One service of a stack. `health` is the worst of its containers'; `containers` are keys."""

    name: str
    image: str
    running: int
    total: int
    health: ContainerHealth
    containers: tuple[str, ...]
    depends_on: tuple[str, ...] = ()


class Stack(Model):
    """One compose project. `key` is the project's name.

    `managed`: the agent keeps its compose file and the history of it. `files_reason` says why the
    compose files cannot be read (they lie on the host or elsewhere); None where they can.
    `problem` says in a sentence why it is degraded.
    """

    key: str
    name: str
    state: StackState
    problem: str | None = None
    services: tuple[StackService, ...]
    running: int
    total: int
    managed: bool
    config_files: tuple[str, ...] = ()
    working_dir: str | None = None
    files_reason: str | None = None
    version: int | None = None
    protected_reason: str | None = None


class StackList(Model):
    """All stacks, by name."""

    stacks: tuple[Stack, ...]


class StackBody(Model):
    """`wait_s`: how long the answer may wait for the end."""

    wait_s: float = Field(default=30, ge=0, le=300)


class DownBody(StackBody):
    """`volumes` removes the stack's volumes with their data: only together with `confirm`.

    `forget` removes the agent's files and history of it too. `volumes` and `forget` only with
    `confirm`, which is the stack's name written once more; `volumes` also needs scope admin.
    """

    volumes: bool = False
    forget: bool = False
    confirm: str | None = None


class StackSource(Model):
    """A stack as text. `environment` replaces ${NAME} in it; its values are not shown again.

    None keeps the values of the version before.
    """

    compose: str = Field(min_length=1, max_length=512 * 1024)
    environment: dict[str, str] | None = None
    profiles: tuple[str, ...] = ()


class PolicyFinding(Model):
    """Something in a compose text that the policy does not let pass without an admin's word."""

    service: str | None
    field: str
    message: str


class StackPlan(Model):
    """What a deployment would do. `hash` binds a later deployment to exactly this.

    `created`, `changed` and `removed` are services. `notes` say in sentences what else is to be
    known, as that a stack which was deployed elsewhere is taken over.
    """

    name: str
    hash: str
    new: bool
    diff: str
    created: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    images: tuple[str, ...]
    findings: tuple[PolicyFinding, ...]
    notes: tuple[str, ...] = ()


class DeployBody(StackSource):
    """`plan_hash`: refuse where the plan is not that one. `confirm_findings` needs scope admin."""

    plan_hash: str | None = None
    confirm_findings: bool = False
    pull: bool = True
    wait_s: float = Field(default=0, ge=0, le=300)


class StackVersion(Model):
    """One kept version of a managed stack, the newest first. `diff` is against the one before."""

    version: int
    at: datetime
    caller: str
    diff: str
    current: bool


class StackHistory(Model):
    """The versions of a managed stack."""

    versions: tuple[StackVersion, ...]


class RestoreBody(Model):
    """Which kept version to deploy again. `confirm_findings` needs scope admin."""

    version: int = Field(ge=1)
    confirm_findings: bool = False
    wait_s: float = Field(default=0, ge=0, le=300)


class FileQuery(Model):
    """Which version's text; the current one where None."""

    version: int | None = Field(default=None, ge=1)


class StackFile(Model):
    """The compose text of a stack. `environment` are names only: values stay with the agent."""

    name: str
    compose: str
    environment: tuple[str, ...] = ()
    version: int | None = None
