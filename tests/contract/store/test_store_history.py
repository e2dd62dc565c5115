"""The history on both databases: what is merged, removed and written anew comes out as it was."""

from homelab_agent.platform.history.samples import History
from homelab_agent.platform.history.series import DAY_S, HOUR_S, Plan, Tier, lowest
from homelab_agent.platform.store.database import Store
from tests.clock import HandClock, HandTime

PLAN = Plan(
    tiers=(Tier(HOUR_S, DAY_S), Tier(DAY_S, 20 * DAY_S)), choose=lowest, forget_after_s=3 * DAY_S
)


async def test_a_month_of_numbers_is_the_same_after_a_restart(
    store: Store, clock: HandClock
) -> None:
    time = HandTime(clock)
    history = History(store, clock, {"disk": PLAN}, steady=time.steady)
    await history.load()
    for look in range(30 * 24):
        history.record("disk", "/srv", 1e12 - look * 1e8 + look % 5)
        history.record("disk", "/gone" if look < 24 else "/säule:1", float(look))
        time.pass_by(HOUR_S)
        if look % 20 == 0:
            await history.save()
        if look == 100:
            history.forget("disk", "/säule:1")
    await history.save()

    again = History(store, clock, {"disk": PLAN}, steady=time.steady)
    await again.load()
    assert set(again.things("disk")) == {"/srv", "/säule:1"}
    for thing in again.things("disk"):
        kept = again.points("disk", thing)
        assert kept == history.closed("disk", thing)
        assert 40 < len(kept) <= PLAN.most_points
