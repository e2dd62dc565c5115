"""The areas that are about containers: one function for each. No logic."""

import os
from dataclasses import dataclass
from pathlib import Path

from homelab_agent.areas.containers.chronicle import Chronicle
from homelab_agent.areas.containers.engine_routes import EngineRoutes
from homelab_agent.areas.containers.event_resources import EventResources
from homelab_agent.areas.containers.identity import key_of
from homelab_agent.areas.containers.inventory import Inventory
from homelab_agent.areas.containers.jobs import ContainerJobs
from homelab_agent.areas.containers.logs import ContainerLogs
from homelab_agent.areas.containers.models import CONTAINER_KIND
from homelab_agent.areas.containers.protection import Protection
from homelab_agent.areas.containers.refresher import Refresher
from homelab_agent.areas.containers.routes import ContainerRoutes
from homelab_agent.areas.containers.service import ContainerService
from homelab_agent.areas.containers.status import EngineState
from homelab_agent.areas.containers.watch import ContainerWatch, Pace
from homelab_agent.areas.objects.disk_meter import FIRST_AFTER_S, DiskMeter
from homelab_agent.areas.objects.inventory import ObjectInventory
from homelab_agent.areas.objects.measure_job import measure_job
from homelab_agent.areas.objects.models import IMAGE_KIND, NETWORK_KIND, VOLUME_KIND
from homelab_agent.areas.objects.prune_job import PruneJob
from homelab_agent.areas.objects.routes import ObjectRoutes
from homelab_agent.areas.objects.service import ObjectService
from homelab_agent.areas.recreate.hands import Guard, Hands, Look
from homelab_agent.areas.recreate.http_check import HttpCheck
from homelab_agent.areas.recreate.kept_images import KeptImages
from homelab_agent.areas.recreate.patience import Patience
from homelab_agent.areas.recreate.routes import RecreateRoutes
from homelab_agent.areas.recreate.self_update import SelfUpdate
from homelab_agent.areas.recreate.service import RecreateService
from homelab_agent.areas.recreate.store import RecreateBook
from homelab_agent.areas.stacks.compose import Compose
from homelab_agent.areas.stacks.compose_process import ComposeProcess, NoProcess
from homelab_agent.areas.stacks.deploy_job import DeployJob, Tools
from homelab_agent.areas.stacks.deployments import StackDeployments
from homelab_agent.areas.stacks.down_job import DownJob
from homelab_agent.areas.stacks.files import StackFiles
from homelab_agent.areas.stacks.history import History, history_rule
from homelab_agent.areas.stacks.injected import InjectedFiles
from homelab_agent.areas.stacks.models import STACK_KIND
from homelab_agent.areas.stacks.operate_jobs import OperateJobs
from homelab_agent.areas.stacks.planner import Planner, Rules
from homelab_agent.areas.stacks.pull import StackImages
from homelab_agent.areas.stacks.routes import StackRoutes
from homelab_agent.areas.stacks.service import StackService
from homelab_agent.areas.stacks.update_job import update_kind
from homelab_agent.areas.stacks.verify import Verification
from homelab_agent.areas.stacks.watch import StackWatch
from homelab_agent.areas.statistics.routes import StatisticsRoutes
from homelab_agent.areas.statistics.sampler import Sampler
from homelab_agent.areas.statistics.service import StatisticsService
from homelab_agent.areas.statistics.watch import StatisticsWatch
from homelab_agent.areas.swarm.jobs import SwarmJobs
from homelab_agent.areas.swarm.models import SWARM_SERVICE_KIND
from homelab_agent.areas.swarm.protection import SwarmProtection
from homelab_agent.areas.swarm.routes import SwarmRoutes
from homelab_agent.areas.swarm.service import SwarmArea
from homelab_agent.areas.swarm.watch import SwarmWatch
from homelab_agent.areas.updates.automatic import AutomaticUpdates, Updater
from homelab_agent.areas.updates.board import UpdateBoard
from homelab_agent.areas.updates.models import UpdatePolicy
from homelab_agent.areas.updates.policy import ContainerPolicy, read_window
from homelab_agent.areas.updates.registry.open import open_registry
from homelab_agent.areas.updates.routes import UpdateRoutes
from homelab_agent.areas.updates.service import UpdateService
from homelab_agent.areas.updates.store import UpdateMemory
from homelab_agent.areas.updates.watch import Rhythm, UpdateWatch
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.engine.models import EngineContainer
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.retention import recreate_rule, update_rules
from homelab_agent.wiring.ground import Areas, Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerParts:
    """What containers give to what is built on them. `look` makes what is published of one true."""

    service: ContainerService
    guard: Guard
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True)
class StackTexts:
    """The texts of stacks: what is kept of them, and what compose makes of them."""

    compose: Compose
    files: StackFiles
    history: History
    planner: Planner


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """What everything that is about containers gives to other areas."""

    containers: ContainerService
    stacks: StackDeployments


def wire_docker(ground: Ground, areas: Areas) -> Docker:
    """Make everything that is about containers."""
    parts = _containers(ground, areas)
    containers = parts.service
    updates, board = _updates(ground, areas, containers)
    texts = _stack_texts(ground, containers)
    recreate = _recreate(ground, areas, parts, updates, texts)
    _automatic_updates(ground, areas, board, recreate)
    _statistics(ground, areas, containers)
    objects = _objects(ground, areas, containers)
    _swarm(ground, areas, containers)
    stacks = _stacks(ground, areas, parts, texts, recreate, updates, objects)
    return Docker(containers=containers, stacks=stacks)


def _containers(ground: Ground, areas: Areas) -> ContainerParts:
    engine, settings = ground.engine.containers, ground.settings
    protection = Protection(own_id=ground.own_id, listed=settings.protect)
    inventory = Inventory(ground.resources, protection)
    state = EngineState(ground.resources, inventory, utc_now)
    refresher = Refresher(engine, inventory, state)
    for kind in ContainerJobs(engine, refresher, protection, state).kinds():
        ground.runner.register(kind)
    chronicle = Chronicle(EventResources(ground.resources, utc_now), inventory, utc_now)
    pace = Pace(resync_interval_s=settings.resync_interval_s)
    watch = ContainerWatch(engine, inventory, state, refresher, chronicle, pace)
    service = ContainerService(inventory, state, ground.runner)
    logs = ContainerLogs(engine, service, inventory, state, ground.secrets)
    ground.gate.protect(CONTAINER_KIND, service.protected_reason)
    areas.routes.append(ContainerRoutes(service, logs))
    areas.routes.append(EngineRoutes(watch, state))
    areas.loops.append(watch.run)

    def guard(row: EngineContainer) -> str | None:
        return protection.reason(row, key_of(row.name, row.labels))

    return ContainerParts(service=service, guard=guard, look=refresher.refresh)


def _recreate(
    ground: Ground, areas: Areas, parts: ContainerParts, updates: UpdateService, texts: StackTexts
) -> RecreateService:
    faces = ground.engine
    book = RecreateBook(ground.store, ground.resources, utc_now)
    hands = Hands(
        containers=faces.containers,
        images=faces.images,
        recreate=faces.recreate,
        guard=parts.guard,
        look=parts.look,
        injected=InjectedFiles(texts.planner.running_model).of,
        logins=updates,
        http=HttpCheck(),
        patience=Patience(faces.containers),
        book=book,
        secrets=ground.secrets,
    )
    # An app of Home Assistant is updated by the Supervisor.
    own_id = None if "SUPERVISOR_TOKEN" in os.environ else ground.own_id
    service = RecreateService(
        parts.service, hands, book, ground.resources, ground.runner, own_id=own_id
    )
    for kind in service.kinds():
        ground.runner.register(kind)
    ground.runner.register(SelfUpdate(hands).kind())
    areas.routes.append(RecreateRoutes(service))
    areas.loops.append(service.publish_all)
    areas.loops.append(KeptImages(parts.service, faces.images, book).run)
    areas.retention.append(recreate_rule())
    return service


def _statistics(ground: Ground, areas: Areas, containers: ContainerService) -> None:
    engine, resources = ground.engine.stats, ground.resources
    interval_s = ground.settings.stats_interval_s
    watch = StatisticsWatch(
        Sampler(engine), resources, interval_s=interval_s, always=ground.settings.stats_always
    )
    service = StatisticsService(engine, containers, watch, resources, interval_s=interval_s)
    areas.routes.append(StatisticsRoutes(service))
    areas.loops.append(watch.run)


def _objects(ground: Ground, areas: Areas, containers: ContainerService) -> ObjectService:
    faces, settings, runner = ground.engine, ground.settings, ground.runner
    inventory = ObjectInventory(faces.objects, faces.images, containers)
    meter = DiskMeter(
        faces.objects,
        inventory,
        ground.resources,
        utc_now,
        interval_s=settings.disk_usage_interval_s,
        # The demo costs nothing, and whoever looks at it wants to see all of it.
        first_after_s=1 if settings.demo else FIRST_AFTER_S,
    )
    runner.register(measure_job(meter))
    prune = PruneJob(inventory, faces.images, faces.objects, utc_now)
    runner.register(prune.kind())
    service = ObjectService(
        faces.objects, faces.images, inventory, containers, meter, runner, utc_now
    )
    ground.gate.protect(IMAGE_KIND, service.image_protection)
    ground.gate.protect(VOLUME_KIND, service.volume_protection)
    ground.gate.protect(NETWORK_KIND, service.network_protection)
    areas.routes.append(ObjectRoutes(service))
    areas.loops.append(meter.run)
    return service


def _swarm(ground: Ground, areas: Areas, containers: ContainerService) -> None:
    engine, runner = ground.engine.swarm, ground.runner
    watch = SwarmWatch(engine, ground.resources, interval_s=ground.settings.swarm_interval_s)
    for kind in SwarmJobs(engine, watch).kinds():
        runner.register(kind)
    protection = SwarmProtection(engine, containers)
    ground.gate.protect(SWARM_SERVICE_KIND, protection.reason)
    areas.routes.append(SwarmRoutes(SwarmArea(watch, protection, ground.resources, runner)))
    areas.loops.append(watch.run)


def _stacks(
    ground: Ground,
    areas: Areas,
    parts: ContainerParts,
    texts: StackTexts,
    recreate: RecreateService,
    updates: UpdateService,
    objects: ObjectService,
) -> StackDeployments:
    faces, runner = ground.engine, ground.runner
    history, files, planner = texts.history, texts.files, texts.planner
    watch = StackWatch(ground.resources)
    service = StackService(watch, parts.service, recreate, ground.resources, runner, utc_now)
    deployments = StackDeployments(service, planner, files, history, watch, runner, ground.secrets)
    tools = Tools(
        compose=texts.compose,
        files=files,
        history=history,
        images=StackImages(faces.images, updates),
        engine=faces.containers,
        guard=parts.guard,
        verification=Verification(faces.containers, ground.secrets),
        kept=deployments.refresh,
    )
    for kind in OperateJobs(faces.containers, parts.guard, parts.look).kinds():
        runner.register(kind)
    runner.register(DeployJob(tools).kind())
    runner.register(DownJob(tools, objects).kind())
    runner.register(update_kind(recreate))
    ground.gate.protect(STACK_KIND, service.protected_reason)
    areas.routes.append(StackRoutes(service, deployments))
    areas.loops += (watch.run, deployments.refresh)
    areas.ready.append(watch.until_shown)
    areas.retention.append(history_rule())
    return deployments


def _stack_texts(ground: Ground, containers: ContainerService) -> StackTexts:
    compose, files = _compose(ground.settings), StackFiles(ground.settings.stacks_folder)
    history, rules = History(ground.store, utc_now), _stack_rules(ground)
    planner = Planner(compose, files, history, containers, ground.engine.objects, rules)
    return StackTexts(compose=compose, files=files, history=history, planner=planner)


def _compose(settings: Settings) -> Compose:
    work_dir = settings.data_dir / "compose"
    if settings.demo:
        return Compose(NoProcess(), work_dir)
    return Compose(ComposeProcess(settings.docker_url, work_dir / "docker"), work_dir)


def _stack_rules(ground: Ground) -> Rules:
    settings = ground.settings
    is_local = settings.docker_url.startswith("unix://")
    sockets = {Path("/var/run/docker.sock"), Path("/run/docker.sock")}
    if is_local:
        sockets.add(Path(settings.docker_url.removeprefix("unix://")))
    return Rules(
        roots=settings.stack_mount_roots,
        ours=(settings.data_dir, settings.stacks_folder),
        sockets=tuple(sorted(sockets)),
        in_container=ground.own_id is not None,
        machine=Path("/") if ground.own_id is None else ground.host.root,
        ask_kernel=is_local and ground.own_id is None and not settings.demo,
    )


def _updates(
    ground: Ground, areas: Areas, containers: ContainerService
) -> tuple[UpdateService, UpdateBoard]:
    settings, resources = ground.settings, ground.resources
    default = ContainerPolicy(
        policy=UpdatePolicy(settings.update_policy), window=read_window(settings.update_window)
    )
    board = UpdateBoard(ground.engine.images, UpdateMemory(ground.store), resources, default)
    registry = open_registry(settings, ground.secrets)
    rhythm = Rhythm(interval_s=settings.update_check_interval_h * 3600)
    watch = UpdateWatch(board, registry, resources, utc_now, rhythm)
    service = UpdateService(containers, board, watch, registry, utc_now)
    areas.routes.append(UpdateRoutes(service))
    areas.loops.append(watch.run)
    areas.retention.extend(update_rules())
    return service, board


def _automatic_updates(ground: Ground, areas: Areas, board: UpdateBoard, updater: Updater) -> None:
    areas.loops.append(AutomaticUpdates(board, updater, ground.runner.wait, utc_now).run)
