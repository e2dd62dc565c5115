"""Docker's JSON of a swarm, as much of it as is read, and how it becomes our models.

Read leniently: what an engine leaves out or sends as null has its neutral value.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_pascal

from homelab_agent.platform.engine.swarm import EngineNode, EngineService, EngineSwarm, SwarmRole

type _Count = Annotated[int, Field(ge=0, lt=2**63)]

_ACTIVE = "active"


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal)


class _InfoSwarm(_Document):
    local_node_state: str = ""
    control_available: bool = False
    nodes: _Count | None = None
    managers: _Count | None = None


class _Info(_Document):
    swarm: _InfoSwarm | None = None


class _Version(_Document):
    index: _Count = 0


class _Container(_Document):
    image: str = ""
    labels: dict[str, str] | None = None


class _TaskTemplate(_Document):
    container_spec: _Container | None = None


class _Replicated(_Document):
    replicas: _Count | None = None


class _Mode(_Document):
    replicated: _Replicated | None = None
    global_: dict[str, object] | None = Field(default=None, alias="Global")
    replicated_job: dict[str, object] | None = None
    global_job: dict[str, object] | None = None

    @property
    def name(self) -> str:
        """Docker's word for it on the command line."""
        if self.global_ is not None:
            return "global"
        if self.replicated_job is not None:
            return "replicated-job"
        return "global-job" if self.global_job is not None else "replicated"


class _Spec(_Document):
    name: str = ""
    labels: dict[str, str] | None = None
    mode: _Mode = Field(default_factory=_Mode)
    task_template: _TaskTemplate = Field(default_factory=_TaskTemplate)


class _Status(_Document):
    running_tasks: _Count | None = None
    desired_tasks: _Count | None = None


class _UpdateStatus(_Document):
    state: str = ""
    message: str = ""


class Service(_Document):
    """A row of GET /services?status=true, or the answer of GET /services/{id} without counts."""

    id: str = Field(alias="ID")
    version: _Version = Field(default_factory=_Version)
    spec: _Spec = Field(default_factory=_Spec)
    previous_spec: _Spec | None = None
    service_status: _Status | None = None
    update_status: _UpdateStatus | None = None

    def service(self) -> EngineService:
        """Return it as the rest of the agent knows it."""
        mode, container = self.spec.mode, self.spec.task_template.container_spec
        status, update = self.service_status, self.update_status
        return EngineService(
            id=self.id,
            name=self.spec.name or self.id,
            # Swarm writes the digest behind the tag.
            image=container.image.partition("@")[0] if container else "",
            mode=mode.name,
            replicas=mode.replicated.replicas if mode.replicated else None,
            running=status.running_tasks if status else None,
            desired=status.desired_tasks if status else None,
            labels=self.spec.labels or {},
            container_labels=(container.labels or {}) if container else {},
            update_state=(update.state or None) if update else None,
            update_message=(update.message or None) if update else None,
            has_previous=self.previous_spec is not None,
        )


class _NodeSpec(_Document):
    role: str = ""
    availability: str = ""


class _Engine(_Document):
    engine_version: str | None = None


class _Description(_Document):
    hostname: str = ""
    engine: _Engine | None = None


class _NodeStatus(_Document):
    state: str = "unknown"
    addr: str = ""


class _Manager(_Document):
    leader: bool = False


class Node(_Document):
    """A row of GET /nodes."""

    id: str = Field(alias="ID")
    version: _Version = Field(default_factory=_Version)
    spec: _NodeSpec = Field(default_factory=_NodeSpec)
    description: _Description = Field(default_factory=_Description)
    status: _NodeStatus = Field(default_factory=_NodeStatus)
    manager_status: _Manager | None = None

    def node(self) -> EngineNode:
        """Return it as the rest of the agent knows it."""
        engine = self.description.engine
        return EngineNode(
            id=self.id,
            name=self.description.hostname or self.id,
            role=self.spec.role,
            state=self.status.state,
            availability=self.spec.availability,
            leader=bool(self.manager_status and self.manager_status.leader),
            address=self.status.addr or None,
            engine_version=engine.engine_version if engine else None,
        )


class Task(_Document):
    """A row of GET /tasks."""

    service_id: str = Field(alias="ServiceID")


SERVICES = TypeAdapter(list[Service])
NODES = TypeAdapter(list[Node])
TASKS = TypeAdapter(list[Task])


def read_swarm(body: bytes) -> EngineSwarm:
    """Return what GET /info says about the swarm; an engine that knows none is in none."""
    try:
        found = _Info.model_validate_json(body).swarm
    except ValidationError:
        found = None
    if found is None or found.local_node_state != _ACTIVE:
        return EngineSwarm(role=SwarmRole.INACTIVE)
    if not found.control_available:
        return EngineSwarm(role=SwarmRole.WORKER)
    return EngineSwarm(role=SwarmRole.MANAGER, nodes=found.nodes, managers=found.managers)


def read_role(body: bytes) -> SwarmRole:
    """Return what GET /info says this host is in a swarm."""
    return read_swarm(body).role
