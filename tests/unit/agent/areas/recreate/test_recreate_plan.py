"""Which containers follow which, and in which order."""

from homelab_agent.areas.recreate.models import RecreateAction, RecreateTarget
from homelab_agent.areas.recreate.plan import with_users
from tests.fakes.containers import container


def _planned(wanted: str, **uses: str) -> list[tuple[str, tuple[str, ...], bool]]:
    names = sorted({*wanted.split(), *uses, *" ".join(uses.values()).split()})
    containers = {f"id-{name}": container(name) for name in names}
    by_id = {
        f"id-{name}": frozenset(f"id-{each}" for each in uses.get(name, "").split())
        for name in names
    }
    targets = [
        RecreateTarget(key=name, name=name, container_id=f"id-{name}", action=RecreateAction.UPDATE)
        for name in wanted.split()
    ]
    return [(t.key, t.uses, t.only_with_them) for t in with_users(targets, by_id, containers)]


def test_what_lives_in_the_network_of_a_container_follows_it() -> None:
    assert _planned("vpn", torrent="vpn") == [("vpn", (), False), ("torrent", ("vpn",), True)]


def test_what_follows_a_follower_follows_too() -> None:
    planned = _planned("vpn", torrent="vpn", exporter="torrent")
    assert [key for key, _, _ in planned] == ["vpn", "torrent", "exporter"]


def test_the_order_of_a_stack_is_kept_but_for_what_uses_a_later_one() -> None:
    planned = _planned("torrent web vpn", torrent="vpn")
    assert planned == [("web", (), False), ("vpn", (), False), ("torrent", ("vpn",), False)]


def test_two_that_use_each_other_are_made_anew_all_the_same() -> None:
    assert [key for key, _, _ in _planned("one", one="two", two="one")] == ["one", "two"]
