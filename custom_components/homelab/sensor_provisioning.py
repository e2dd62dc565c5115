"""How far the provisioning of a domain is, so that a dashboard shows it while it goes on."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription

from .client import Domain, Job, JobState, ProvisionStep
from .client.kinds import DOMAIN, JOB
from .client.models import StepState
from .coordinator import HomelabCoordinator
from .entity import HomelabEntity, HostEntity, ServiceEntity
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
_TARGET: Final = "domain:"
"""How the target of such a job begins; the domain's id follows."""
_AT_WORK: Final = frozenset({StepState.DOING, StepState.UNDOING})


class _Progress(HomelabEntity, SensorEntity):
    """The step at which a provisioning is, or its way back."""

    _unrecorded_attributes = frozenset({"domain", "progress", "action", "undoing", "message"})

    @abstractmethod
    def jobs(self) -> Sequence[Job]:
        """Return the jobs that this is about."""

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
        """Whose it is, how far in percent, what it is and whether it is taken back."""
        job = self._job
        return {
            "domain": job and job.target.removeprefix(_TARGET),
            "progress": None if job is None or job.progress is None else round(job.progress * 100),
            "action": job and job.kind.removeprefix(_AREA),
            "undoing": job is not None and job.state is JobState.UNDOING,
            "message": job and job.message,
        }

    @property
    def _job(self) -> Job | None:
        """The oldest of them that is at work."""
        ours = (job for job in self.jobs() if job.kind.startswith(_AREA))
        return min(ours, key=lambda job: job.created_at, default=None)


class DomainProvisioning(_Progress, ServiceEntity[Domain]):
    """How far the provisioning of one domain is."""

    def __init__(self, coordinator: HomelabCoordinator, domain: Domain) -> None:
        super().__init__(coordinator, PROVISIONING, domain, DOMAIN)

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the jobs about the domain too."""
        await super().async_added_to_hass()
        target = f"{_TARGET}{self.key}"
        self.async_on_remove(self.coordinator.async_listen_job(target, self._on_change))

    @override
    def jobs(self) -> Sequence[Job]:
        job = self.coordinator.mirror.running_job(f"{_TARGET}{self.key}")
        return () if job is None else (job,)


class HostProvisioning(_Progress, HostEntity):
    """How far the provisioning of any domain is: a new one has its page only in the end."""

    def __init__(self, coordinator: HomelabCoordinator) -> None:
        super().__init__(coordinator, PROVISIONING, (JOB.name, None))

    @override
    def jobs(self) -> Sequence[Job]:
        return self.coordinator.mirror.running_jobs()


def _step_of(job: Job) -> str:
    """Return the step at work, else the next one; a step that only a newer agent has is none."""
    at_work = [step.name for step in job.steps if step.state in _AT_WORK]
    pending = [step.name for step in job.steps if step.state is StepState.PENDING]
    name = next(iter((*at_work, *pending)), IDLE)
    return name if name in (PROVISIONING.options or ()) else IDLE
