"""A measurement of the disk use that somebody asked for."""

from homelab_agent.areas.objects.disk_meter import DiskMeter
from homelab_agent.platform.jobs.kinds import JobKind, Recovery, Step, StepContext, StepResult
from homelab_agent.platform.model import Model

MEASURE_JOB = "disk_usage.measure"


class MeasureArguments(Model):
    """Nothing is to be said about it."""


def measure_job(meter: DiskMeter) -> JobKind[MeasureArguments]:
    """Return the kind of job that measures; it shares a measurement that runs already."""

    async def measure(_context: StepContext[MeasureArguments]) -> StepResult:
        await meter.measure()
        return StepResult(message="The disk use was measured.")

    return JobKind(
        name=MEASURE_JOB,
        arguments=MeasureArguments,
        steps=(Step(name="measure", do=measure),),
        recovery=Recovery.GO_ON,
    )
