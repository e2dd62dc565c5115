"""Compose projects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .base import EACH_BY_ITSELF, OpenEnum
from .containers import ContainerHealth


class StackState(OpenEnum):
    """RUNNING: all of it runs and nothing is unhealthy. DEGRADED: some of it does not.

    STOPPED: none of it runs. UNKNOWN: deployed, but nothing of it is there.
    """

    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackService:
    """One service of a stack. `health` is the worst of its containers'; `containers` are keys."""

    name: str
    image: str
    running: int
    total: int
    health: ContainerHealth
    containers: tuple[str, ...]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StackList:
    """All stacks, by name."""

    stacks: tuple[Stack, ...] = field(metadata=EACH_BY_ITSELF)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackBody:
    """`wait_s`: how long the answer may wait for the end."""

    wait_s: float = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DownBody(StackBody):
    """`volumes` removes the stack's volumes with their data.

    `forget` removes the agent's files and history of it too. `volumes` and `forget` only with
    `confirm`, which is the stack's name written once more; `volumes` also needs scope admin.
    """

    volumes: bool = False
    forget: bool = False
    confirm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSource:
    """A stack as text. `environment` replaces ${NAME} in it; its values are not shown again."""

    compose: str
    environment: Mapping[str, str] | None = None
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFinding:
    """Something in a compose text that the policy does not let pass without an admin's word."""

    service: str | None
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """What a deployment would do. `hash` binds a later deployment to exactly this."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployBody(StackSource):
    """`plan_hash`: refuse where the plan is not that one. `confirm_findings` needs scope admin."""

    plan_hash: str | None = None
    confirm_findings: bool = False
    pull: bool = True
    wait_s: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StackVersion:
    """One kept version of a managed stack, the newest first. `diff` is against the one before."""

    version: int
    at: datetime
    caller: str
    diff: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StackHistory:
    """The versions of a managed stack."""

    versions: tuple[StackVersion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFile:
    """The compose text of a stack. `environment` are names only: values stay with the agent."""

    name: str
    compose: str
    environment: tuple[str, ...] = ()
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreBody:
    """Which kept version to deploy again. `confirm_findings` needs scope admin."""

    version: int
    confirm_findings: bool = False
    wait_s: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileQuery:
    """Which version's text; the current one where None."""

    version: int | None = None
