"""Provisioning on a real journal, with the areas around it in memory."""

from dataclasses import dataclass, field

from homelab_agent.areas.dns.models import RecordSet, RecordType
from homelab_agent.areas.provisioning.authority_words import AuthorityWords
from homelab_agent.areas.provisioning.certificate_step import CertificateStep
from homelab_agent.areas.provisioning.deprovision_job import DeprovisionJob
from homelab_agent.areas.provisioning.models import DeprovisionBody, StartBody
from homelab_agent.areas.provisioning.patience import Patience
from homelab_agent.areas.provisioning.planner import Partners, Planner
from homelab_agent.areas.provisioning.provision_job import ProvisionJob
from homelab_agent.areas.provisioning.service import ProvisioningService
from homelab_agent.areas.provisioning.upstreams import Upstreams
from homelab_agent.areas.provisioning.users import Users
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.commands import Caller, Scope
from homelab_agent.platform.engine.models import LogLine, Port
from homelab_agent.platform.jobs.models import Job
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock
from tests.fakes.containers import container
from tests.fakes.provisioning_partners import (
    FakeCertificates,
    FakeContainers,
    FakeDns,
    FakeDomains,
    FakeDynamic,
    FakeFront,
    FakeProxy,
    Faults,
)

NAME = "photos.home.example"
PHONE = Caller(name="phone", scope=Scope.OPERATE)
USUAL = Patience(step_s=60, propagation_s=60, certificate_s=1, health_s=1, undo_s=2)
"""Short only where an answer that is no good is asked for again until the time is over."""

IMPATIENT = Patience(step_s=1, propagation_s=1, certificate_s=0.5, health_s=0.5, undo_s=2)
"""For what hangs. What does not has time enough on a busy machine all the same."""


class NoLogs:
    """No log says anything."""

    async def logs(self, container_id: str, **_options: object) -> tuple[LogLine, ...]:
        del container_id
        return ()


@dataclass
class Bench:
    """The areas, and what provisions on them."""

    store: Store
    resources: Resources
    clock: HandClock
    faults: Faults = field(default_factory=Faults)
    patience: Patience = USUAL

    def __post_init__(self) -> None:
        self.dns, self.proxy = FakeDns(self.faults), FakeProxy(self.faults)
        self.certificates, self.domains = FakeCertificates(self.faults), FakeDomains()
        self.dynamic, self.front = FakeDynamic(self.faults), FakeFront(self.faults)
        self.containers = FakeContainers(
            container(
                "photos",
                ports=(
                    Port(container_port=2342, protocol="tcp", host_ip="0.0.0.0", host_port=2342),  # noqa: S104
                ),
            )
        )
        self.runner = self.started()

    def started(self) -> JobRunner:
        """Return the runner of an agent that has just been started on the same store."""
        runner = JobRunner(
            self.store, self.resources, self.clock, Audit(self.store, self.clock), progress_s=0
        )
        partners = Partners(
            dns=self.dns,
            dynamic=self.dynamic,
            proxy=self.proxy,
            certificates=self.certificates,
            domains=self.domains,
            upstreams=Upstreams(self.containers, self.containers, self.containers),
        )
        users = Users(Vault(bytes(32), SecretFilter()))
        planner = Planner(partners)
        words = AuthorityWords(self.proxy, self.containers, NoLogs())
        step = CertificateStep(self.certificates, self.front, words, self.patience)
        job = ProvisionJob(partners, planner, self.front, step, users, self.patience)
        runner.register(job.kind())
        runner.register(DeprovisionJob(partners, step, self.patience).kind())
        self.service = ProvisioningService(partners, planner, users, runner)
        self.runner = runner
        return runner

    async def provision(self, **changes: object) -> Job:
        """Provision and return the job that it was."""
        return await self._job(self.service.start(start_body(**changes), PHONE))

    async def deprovision(self, **changes: object) -> Job:
        """Take it back and return the job that it was."""
        body = DeprovisionBody.model_validate({"wait_s": 0, **changes})
        return await self._job(self.service.remove(NAME, body, PHONE))

    def hold(self, value: str, record_type: RecordType = RecordType.A) -> RecordSet:
        """Have somebody else write a record at the name."""
        there = RecordSet(name=NAME, type=record_type, values=(value,), ttl_s=300)
        self.dns.records[NAME, record_type] = there
        return there

    def state(self) -> dict[str, object]:
        """Return all that is there, to be compared."""
        return {
            "dns": dict(self.dns.records),
            "routes": dict(self.proxy.routes_kept),
            "certificates": dict(self.certificates.kept),
            "domains": dict(self.domains.all),
            "dynamic": dict(self.dynamic.all),
            "changing": [each for each in self.domains.jobs.values() if each],
        }

    async def _job(self, started: object) -> Job:
        result = await started  # type: ignore[misc]
        return await self.runner.wait(result.job.id, None)


def start_body(**changes: object) -> StartBody:
    """Return what is usually asked for."""
    usual: dict[str, object] = {"name": NAME, "container": "photos", "ipv4": "192.0.2.1"}
    return StartBody.model_validate({**usual, "wait_s": 0, **changes})
