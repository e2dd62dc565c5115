"""How far the provisioning of a domain is, so that a dashboard shows it while it goes on."""

from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.core import CALLBACK_TYPE, callback

from .client import Domain, Job, JobState, ProvisionStep
from .client.kinds import DOMAIN, JOB
from .client.models import StepState
from .coordinator import HomelabCoordinator
from .entity import ServiceEntity
from .sensor_description import options_of

IDLE: Final = "idle"
"""What the sensor shows while nothing goes on."""

_BACK: Final = ("dynamic_address", "domain")
"""The steps that only the way back has."""

PROVISIONING: Final = SensorEntityDescription(
    key="provisioning",
    translation_key="provisioning",
    device_class=SensorDeviceClass.ENUM,
    options=[IDLE, *options_of(ProvisionStep), *_BACK],
)

_AREA: Final = "provisioning."
"""How the kinds of these jobs begin."""
_AT_WORK: Final = frozenset({StepState.DOING, StepState.UNDOING})


class Provisioning(ServiceEntity[Domain], SensorEntity):
    """The step at which the provisioning of a domain is, or its way back."""

    _unrecorded_attributes = frozenset({"progress", "action", "undoing", "message"})

    def __init__(self, coordinator: HomelabCoordinator, domain: Domain) -> None:
        super().__init__(coordinator, PROVISIONING, domain, DOMAIN)
        self._followed: tuple[str, CALLBACK_TYPE] | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the job that is at the domain already."""
        await super().async_added_to_hass()
        self._follow()
        self.async_on_remove(self._leave)

    @override
    def value(self) -> object:
        return self.native_value, self.extra_state_attributes

    @property
    @override
    def native_value(self) -> str:
        """The step that is done or undone right now."""
        return IDLE if (job := self._job) is None else _step_of(job)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """How far it is in percent, what it is and whether it is taken back."""
        job = self._job
        if job is None:
            return {"progress": None, "action": None, "undoing": False, "message": None}
        return {
            "progress": None if job.progress is None else round(job.progress * 100),
            "action": job.kind.removeprefix(_AREA),
            "undoing": job.state is JobState.UNDOING,
            "message": job.message,
        }

    @callback
    @override
    def _on_change(self) -> None:
        self._follow()
        super()._on_change()

    @property
    def _job(self) -> Job | None:
        """The job of provisioning that is at the domain right now."""
        job_id = self.of_thing(lambda domain: domain.job_id)
        job = self.coordinator.mirror.get(JOB, job_id) if job_id else None
        if job is None or job.state is JobState.FINISHED or not job.kind.startswith(_AREA):
            return None
        return job

    def _follow(self) -> None:
        """Listen to the job that the domain names, and to no other."""
        job_id = self.of_thing(lambda domain: domain.job_id)
        if self._followed is not None and self._followed[0] == job_id:
            return
        self._leave()
        if job_id is not None:
            end = self.coordinator.async_listen((JOB.name, job_id), self._on_change)
            self._followed = (job_id, end)

    @callback
    def _leave(self) -> None:
        if self._followed is not None:
            self._followed[1]()
            self._followed = None


def _step_of(job: Job) -> str:
    """Return the step at work, else the next one; a step that only a newer agent has is none."""
    at_work = [step.name for step in job.steps if step.state in _AT_WORK]
    pending = [step.name for step in job.steps if step.state is StepState.PENDING]
    name = next(iter((*at_work, *pending)), IDLE)
    return name if name in (PROVISIONING.options or ()) else IDLE
