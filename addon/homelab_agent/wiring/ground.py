"""What the areas are made of, and what they give."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from homelab_agent.platform.engine.factory import EngineFaces
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.host.factory import HostFaces
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.outbound.connections import Outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import TlsContexts
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.retention import Rule
from homelab_agent.platform.vault import Vault

type Loop = Callable[[], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the areas are built on. Only the functions of this folder take it as a whole."""

    settings: Settings
    own_id: str | None
    engine: EngineFaces
    host: HostFaces
    outbound: Outbound
    http: OutboundHttp
    tls: TlsContexts
    resources: Resources
    store: Store
    runner: JobRunner
    gate: Gate
    secrets: SecretFilter
    vault: Vault


@dataclass(slots=True)
class Areas:
    """What the areas gave: routes to serve, loops to run, tables to keep bounded.

    `ready`: each returns when what its area keeps was taken up and is shown.
    """

    routes: list[object] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    ready: list[Loop] = field(default_factory=list)
    retention: list[Rule] = field(default_factory=list)
