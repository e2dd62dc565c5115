"""What a person is shown of two samples."""

import pytest

from homelab_agent.areas.statistics.figures import Host, container_stats, engine_stats
from homelab_agent.areas.statistics.models import ContainerStats
from homelab_agent.areas.statistics.usage import usage_between
from homelab_agent.platform.engine.stats import Sample, StatsSource
from homelab_agent.platform.rounding import rounded

S = 1_000_000_000
MIB = 1024**2
HOST = Host(cpu_count=2, memory_bytes=4096 * MIB)
SOURCE = StatsSource.CGROUP_V2
BEFORE = Sample(SOURCE, 100 * S, 50 * S, 10 * MIB, None, 1000, 2000, 3000, 4000, 5)


def _figures(after: Sample, before: Sample = BEFORE, host: Host = HOST) -> ContainerStats:
    usage = usage_between(before, after)
    assert usage is not None
    return container_stats("web", usage, host)


def _after(seconds: float, **changes: object) -> Sample:
    return BEFORE._replace(taken_ns=int((100 + seconds) * S), **changes)


def test_rates_are_what_was_used_over_the_time_between() -> None:
    stats = _figures(
        _after(10, cpu_ns=55 * S, network_receive_bytes=1_001_000, block_write_bytes=50_004_000)
    )

    assert stats.cpu_percent == 50.0
    assert stats.network_receive_bytes_per_s == 100_000
    assert stats.network_transmit_bytes_per_s == 0
    assert stats.block_write_bytes_per_s == 5_000_000
    assert stats.block_write_bytes == 50_000_000
    assert stats.processes == 5


def test_a_counter_that_began_anew_gives_no_rate_rather_than_a_wrong_one() -> None:
    stats = _figures(_after(10, cpu_ns=1 * S, network_receive_bytes=5, block_read_bytes=0))

    assert stats.cpu_percent is None
    assert stats.network_receive_bytes_per_s is None
    assert stats.block_read_bytes_per_s is None
    assert stats.network_transmit_bytes_per_s == 0


def test_what_is_not_known_is_none_and_never_zero() -> None:
    nothing = Sample(SOURCE, 0)

    stats = _figures(Sample(SOURCE, 10 * S), nothing)

    assert stats == ContainerStats(key="web")


def test_more_than_all_cores_can_do_is_not_shown() -> None:
    assert _figures(_after(0.5, cpu_ns=60 * S)).cpu_percent is None
    assert _figures(_after(10, cpu_ns=69 * S)).cpu_percent == 190.0


def test_samples_of_two_sources_or_of_the_same_moment_are_not_compared() -> None:
    assert usage_between(BEFORE, _after(10)._replace(source=StatsSource.ONE_SHOT)) is None
    assert usage_between(BEFORE, _after(0.1)) is None
    assert usage_between(BEFORE, _after(-5)) is None


@pytest.mark.parametrize(
    ("limit", "shown", "percent"),
    [(None, None, 0.5), (40 * MIB, 40 * MIB, 50.0), (4096 * MIB, None, 0.5)],
)
def test_memory_is_measured_against_the_limit_else_against_the_host(
    limit: int | None, shown: int | None, percent: float
) -> None:
    stats = _figures(_after(10, memory_bytes=20 * MIB, memory_limit_bytes=limit))

    assert stats.memory_limit_bytes == shown
    assert stats.memory_percent == percent


def test_without_limit_or_host_memory_there_is_no_share() -> None:
    assert _figures(_after(10), host=Host()).memory_percent is None


@pytest.mark.parametrize(
    ("value", "step", "shown"),
    [
        (0, 0.1, 0),
        (0.04, 0.1, 0),
        (0.26, 0.1, 0.3),
        (12.34, 0.1, 12.3),
        (987.6, 0.1, 988),
        (1234.5, 0.1, 1230),
        (49, 100, 0),
        (1_234_567, 100, 1_230_000),
        (2_147_483_648, 100_000, 2_150_000_000),
    ],
)
def test_figures_have_three_digits_and_nothing_finer_than_their_step(
    value: float, step: float, shown: float
) -> None:
    assert rounded(value, step) == shown


def test_an_idle_container_looks_the_same_each_time() -> None:
    first = _figures(_after(10, cpu_ns=50 * S + 2_000_000, network_receive_bytes=1400))
    second = _figures(_after(10, cpu_ns=50 * S + 4_000_000, network_receive_bytes=1042))

    assert first == second


def test_the_sum_of_many_small_ones_is_not_nothing() -> None:
    usage = usage_between(BEFORE, _after(10, cpu_ns=50 * S + 3_000_000))
    assert usage is not None

    total = engine_stats(SOURCE, None, 10, (usage,) * 300, HOST)

    assert container_stats("web", usage, HOST).cpu_percent == 0
    assert total.cpu_percent == 9.0
    assert total.containers == 300
    assert total.processes == 1500


def test_sums_leave_out_what_is_unknown() -> None:
    known = usage_between(BEFORE, _after(10, network_receive_bytes=101_000))
    host_network = usage_between(
        BEFORE._replace(network_receive_bytes=None), _after(10, network_receive_bytes=None)
    )
    assert known is not None
    assert host_network is not None

    assert engine_stats(SOURCE, None, 10, (known, host_network), HOST).network_receive_bytes_per_s
    assert engine_stats(SOURCE, None, 10, (host_network,), HOST).network_receive_bytes_per_s is None
