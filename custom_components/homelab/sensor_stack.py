"""The sensors of compose projects and of swarm services."""

from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass

from .client import StackState
from .client.kinds import STACK, SWARM_SERVICE
from .sensor_description import ResourceSensorDescription, count, known, options_of

STACK_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    ResourceSensorDescription(
        key="state",
        translation_key="stack_state",
        kind=STACK,
        device_class=SensorDeviceClass.ENUM,
        options=options_of(StackState),
        value_fn=lambda stack: known(stack.state),
    ),
    count("containers_running", STACK, lambda stack: stack.running, enabled=True),
    count("containers_total", STACK, lambda stack: stack.total),
)

SWARM_SERVICE_SENSORS: Final[tuple[ResourceSensorDescription[Any], ...]] = (
    count("tasks_running", SWARM_SERVICE, lambda service: service.running, enabled=True),
    count("tasks_desired", SWARM_SERVICE, lambda service: service.desired, enabled=True),
)
