"""In the invented homelab every program ends well, and says nothing."""

from typing import override

from homelab_agent.platform.engine.execution import Ended, Execution, ExecutionEngine


class DemoExecution(ExecutionEngine):
    """Implements `ExecutionEngine` without running anything."""

    @override
    async def execute(self, container_id: str, execution: Execution) -> Ended:
        return Ended(0, b"")
