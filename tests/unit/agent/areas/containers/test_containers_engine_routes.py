"""Who has the engine looked at is told what there is."""

from homelab_agent.areas.containers.engine_routes import EngineRoutes
from homelab_agent.platform.commands import Outcome
from tests.fakes.docker_engine import FakeDocker
from tests.fakes.socket_proxy import socket_proxy, without
from tests.fakes.watched import watched


async def test_who_has_it_looked_at_is_told_what_there_is(docker: FakeDocker) -> None:
    forbidden = without("/images/json")
    async with socket_proxy(str(docker.socket), forbidden) as proxy, watched(proxy.url) as live:
        await live.connected()
        routes = EngineRoutes(live.watch, live.state)

        lacking = await routes.look()
        proxy.allows = lambda _method, _path: True
        granted = await routes.look()
        await proxy.close()
        away = await routes.look()

    assert {lacking.outcome, granted.outcome, away.outcome} == {Outcome.DONE}
    assert lacking.message == "Docker answers, and forbids: images_read."
    assert granted.message == "Docker answers, and forbids nothing."
    assert away.message.startswith("Docker is away: ")
