"""The agent itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInfo:
    """The agent's description of itself."""

    instance_id: str
    name: str
    version: str
    started_at: datetime
    demo: bool
    contract: int
