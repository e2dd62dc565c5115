from structlog.testing import capture_logs

from homelab_agent.platform.model import Model
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import dns_provider
from tests.clock import HandClock


class Newer(Model):
    """As a newer agent keeps it."""

    name: str
    password: str


class Ours(Model):
    """As this one knows it."""

    name: str


async def test_what_a_newer_agent_kept_stays_and_what_is_in_it_is_in_no_log(
    store: Store, clock: HandClock
) -> None:
    newer = Records(store, dns_provider, Newer)
    kept = Newer(name="home", password="correct-horse")
    await newer.put({"home": (clock(), kept)})

    with capture_logs() as logs:
        assert await Records(store, dns_provider, Ours).all() == {}

    assert [(line["event"], line["key"]) for line in logs] == [("record_not_understood", "home")]
    assert "password" in logs[0]["why"]
    assert "correct-horse" not in str(logs)
    assert await newer.all() == {"home": kept}
