"""Wires everything once: settings, platform, areas, API. Starts it in order, ends it in reverse."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from homelab_agent import __version__
from homelab_agent.address_file import local_url, remove_address, write_address
from homelab_agent.api.auth import Authenticator
from homelab_agent.api.login_throttle import LoginThrottle
from homelab_agent.api.rate_limit import RateLimit
from homelab_agent.api.server import ApiServer
from homelab_agent.api.stream_socket import StreamSockets
from homelab_agent.api.tls import Tls, open_files, open_self_signed
from homelab_agent.areas.agent.announce_mdns import (
    MdnsAnnouncement,
    addresses_to_announce,
    only_virtual_cables,
)
from homelab_agent.areas.agent.announce_supervisor import SupervisorAnnouncement
from homelab_agent.areas.agent.models import ActiveSettings, AgentInfo
from homelab_agent.areas.agent.numbers import export_numbers
from homelab_agent.areas.agent.routes import AgentRoutes
from homelab_agent.areas.agent.service import AgentService
from homelab_agent.areas.certificates.numbers import export_certificates
from homelab_agent.areas.containers.protection import own_container_id
from homelab_agent.areas.host.models import HOST_INFO_KIND, HOST_KEY, HostInfo
from homelab_agent.areas.host.numbers import export_machine
from homelab_agent.areas.network.numbers import export_network
from homelab_agent.areas.statistics.numbers import export_figures
from homelab_agent.platform.audit import Audit
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.commands import Registry
from homelab_agent.platform.contract import CONTRACT_OLDEST, CONTRACT_VERSION, Hello
from homelab_agent.platform.engine.docker.address import without_password
from homelab_agent.platform.engine.factory import open_engine
from homelab_agent.platform.errors import AgentError, Unavailable
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.host.factory import open_host
from homelab_agent.platform.jobs.runner import JobRunner
from homelab_agent.platform.logging import configure_logging, get_logger
from homelab_agent.platform.metrics import Metrics
from homelab_agent.platform.outbound.connections import open_outbound
from homelab_agent.platform.outbound.http import OutboundHttp
from homelab_agent.platform.outbound.tls_contexts import open_tls_contexts
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.settings import Settings
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.retention import Retention, activity_rules, job_rule
from homelab_agent.platform.tokens import Tokens
from homelab_agent.platform.vault import open_vault
from homelab_agent.wiring import Areas, Ground, Loop, wire_areas

FIRST_LOOK_S = 10.0
"""How long a start waits for what Docker has to say, and for what the agent keeps itself."""

_log = get_logger(__name__)


async def serve(settings: Settings) -> int:
    """Run the agent until SIGTERM or SIGINT; return the exit code: 1 after a mistake of its own.

    Raises:
        SettingsError: it cannot run with these settings.
        StoreError: its store cannot be used.
        Unavailable: its store cannot be used any more, just when it is needed to go on.
    """
    secrets = SecretFilter()
    configure_logging(settings.log_level, settings.log_format, secrets)
    stop = _stop_on_signals()
    try:
        async with running(settings, secrets):
            await stop.wait()
            _log.info("stopping")
    except AgentError:
        raise
    except Exception:  # noqa: BLE001  # logged with its trace; whoever started the agent starts it again
        _log.exception("agent_broke_down")
        return 1
    _log.info("stopped")
    return 0


@asynccontextmanager
async def running(settings: Settings, secrets: SecretFilter) -> AsyncIterator[None]:
    """Open everything and serve; close it in reverse order."""
    async with AsyncExitStack() as closing:
        store = await Store.open(settings.store_url, settings.data_dir)
        closing.push_async_callback(store.close)
        await store.claim()
        resources, metrics = Resources(), Metrics()
        audit, tokens = Audit(store, utc_now, secrets), Tokens(store, utc_now)
        runner = JobRunner(store, resources, utc_now, audit)
        closing.push_async_callback(runner.close)
        tls = await asyncio.to_thread(_open_tls, settings)
        vault = await asyncio.to_thread(
            open_vault, settings.data_dir, settings.secrets_key_file, secrets
        )
        tls_contexts = await asyncio.to_thread(open_tls_contexts, settings.trusted_ca_file)
        own_id = await asyncio.to_thread(own_container_id, host_name=socket.gethostname())
        engine = open_engine(settings.docker_url, demo=settings.demo)
        closing.push_async_callback(engine.containers.close)
        machine = await asyncio.to_thread(open_host, settings, own_id=own_id)
        outbound = open_outbound(settings)
        http = OutboundHttp(outbound)
        closing.push_async_callback(http.close)
        gate = Gate(audit)
        areas = wire_areas(
            Ground(
                settings=settings,
                own_id=own_id,
                engine=engine,
                host=machine,
                outbound=outbound,
                http=http,
                tls=tls_contexts,
                resources=resources,
                store=store,
                runner=runner,
                gate=gate,
                secrets=secrets,
                vault=vault,
            )
        )
        # Not before: it knows by what the engine's state was here that Docker was looked at.
        agent = _agent(settings, store, resources, tls)
        registry = Registry()
        for routes in (AgentRoutes(agent), *areas.routes):
            registry.collect(routes)
        retention = _retention(settings, store, areas, resources)
        await retention.prepare()
        await runner.recover()
        inner = (*areas.loops, agent.follow_engine, retention.run)
        await closing.enter_async_context(_looping(inner))
        streams = StreamSockets(resources, _hello(agent.info, resources))
        export_numbers(metrics, resources, streams=streams.count, jobs=runner.running)
        export_figures(metrics, resources)
        export_machine(metrics, resources)
        export_certificates(metrics, resources)
        export_network(metrics, resources)
        authenticator = Authenticator(tokens, RateLimit(), LoginThrottle())
        server = ApiServer(registry.operations(), authenticator, gate, streams, metrics)
        closing.push_async_callback(_stop_working, server, runner)
        # Whoever comes back after a restart finds there what was there, and not an empty host.
        await agent.wait_for_engine(FIRST_LOOK_S)
        await _wait_for_what_is_kept(areas)
        host, port = await server.start(settings.listen_host, settings.listen_port, tls)
        outbound.guard.keep("the API of the agent itself", host, port)
        await _tell_address(settings, host, port, tls, closing)
        outer = (
            *await _mdns(settings, own_id, host, port, tls, agent, resources),
            *_supervisor(settings, port, tls, agent, tokens, secrets),
        )
        await closing.enter_async_context(_looping(outer))
        yield


async def _wait_for_what_is_kept(areas: Areas) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LOOK_S):
            for ready in areas.ready:
                with suppress(Unavailable):
                    await ready()


@asynccontextmanager
async def _looping(loops: Iterable[Loop]) -> AsyncIterator[None]:
    """Run the loops meanwhile. One that fails ends everything: it is a mistake of ours.

    Raises:
        AgentError: what the body raised, or a loop that cannot go on, as where the disk is full.
    """
    refused: AgentError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop()) for loop in loops]
            try:
                yield
            except AgentError as error:
                # Kept aside: the group would wrap what is meant for whoever starts the agent.
                refused = error
            finally:
                for task in tasks:
                    task.cancel()
    except* Unavailable as failed:
        refused = refused or _first(failed)
    if refused is not None:
        raise refused


def _first(group: BaseExceptionGroup[AgentError]) -> AgentError:
    """Return one of those in a group, however deep: a sentence is all that a person is told."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _stop_on_signals() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set. A person's second Ctrl-C ends the program at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupted() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, interrupted)
    return stop


async def _stop_working(server: ApiServer, runner: JobRunner) -> None:
    # At the same time: whoever waits for a job that still ends in time gets its answer.
    await asyncio.gather(server.close(), runner.close())


def _open_tls(settings: Settings) -> Tls | None:
    match settings.tls:
        case "off":
            return None
        case "self_signed":
            return open_self_signed(settings.data_dir, socket.gethostname())
        case "files":
            return open_files(settings.tls_certificate, settings.tls_key)


def _agent(settings: Settings, store: Store, resources: Resources, tls: Tls | None) -> AgentService:
    info = AgentInfo(
        instance_id=store.instance_id,
        name=settings.display_name,
        version=__version__,
        started_at=utc_now(),
        demo=settings.demo,
        contract=CONTRACT_VERSION,
    )
    active = ActiveSettings(
        store="sqlite" if settings.store_url.startswith("sqlite") else "postgresql",
        docker_url=without_password(settings.docker_url),
        tls_fingerprint=tls.fingerprint if tls else None,
        **settings.model_dump(
            include={
                "listen",
                "tls",
                "mdns",
                "protect",
                "activity_retention_days",
                "job_retention_days",
                "resync_interval_s",
                "stats_interval_s",
                "stats_always",
                "log_level",
            }
        ),
    )
    return AgentService(info, active, resources, store, follow_host_name=settings.name is None)


def _hello(info: AgentInfo, resources: Resources) -> Hello:
    return Hello(
        contract=CONTRACT_VERSION,
        oldest=CONTRACT_OLDEST,
        instance_id=info.instance_id,
        version=info.version,
        epoch=resources.epoch,
    )


async def _tell_address(
    settings: Settings, host: str, port: int, tls: Tls | None, closing: AsyncExitStack
) -> None:
    url = local_url(host, port, tls=tls is not None)
    await asyncio.to_thread(write_address, settings.data_dir, url)
    closing.push_async_callback(asyncio.to_thread, remove_address, settings.data_dir)
    fingerprint = {"fingerprint": tls.fingerprint} if tls else {}
    _log.info("listening", host=host, port=port, url=url, version=__version__, **fingerprint)


def _retention(settings: Settings, store: Store, areas: Areas, resources: Resources) -> Retention:
    rules = (
        *activity_rules(settings.activity_retention_days),
        job_rule(settings.job_retention_days),
        *areas.retention,
    )
    return Retention(store, utc_now, rules, partial(_is_clock_right, resources))


def _is_clock_right(resources: Resources) -> bool:
    info = resources.get(HOST_INFO_KIND, HOST_KEY)
    return isinstance(info, HostInfo) and bool(info.clock_synchronized)


async def _mdns(
    settings: Settings,
    own_id: str | None,
    host: str,
    port: int,
    tls: Tls | None,
    agent: AgentService,
    resources: Resources,
) -> tuple[Loop, ...]:
    addresses = addresses_to_announce(host) if settings.mdns else ()
    if not addresses:
        return ()
    if own_id is not None and await asyncio.to_thread(only_virtual_cables):
        _log.info("mdns_skipped", reason="This container has a network of its own")
        return ()
    fingerprint = tls.fingerprint if tls else None
    announcement = MdnsAnnouncement(agent, resources, fingerprint=fingerprint)
    return (partial(announcement.run, addresses, port),)


def _supervisor(
    settings: Settings,
    port: int,
    tls: Tls | None,
    agent: AgentService,
    tokens: Tokens,
    secrets: SecretFilter,
) -> tuple[Loop, ...]:
    token = os.environ.get("SUPERVISOR_TOKEN")
    if not token:
        return ()
    secrets.add(token)
    announcement = SupervisorAnnouncement(
        tokens,
        secrets,
        settings.data_dir,
        supervisor_token=token,
        fingerprint=tls.fingerprint if tls else None,
    )
    host = socket.gethostname()
    return (partial(announcement.run, host, port, agent.info.instance_id),)
