from homelab_agent.platform.metrics import CONTENT_TYPE, Metrics


def test_prometheus_reads_what_was_counted() -> None:
    metrics = Metrics()
    requests = metrics.counter("requests", "Requests answered", "status")
    requests.labels("200").inc(3)
    metrics.gauge("streams", "Open streams").set(2)
    metrics.read_gauge("resources", "Resources known", lambda: 50)
    metrics.histogram("latency_seconds", "Time taken", buckets=(0.1, 1)).observe(0.5)

    lines = metrics.render().decode().splitlines()

    assert 'homelab_requests_total{status="200"} 3.0' in lines
    assert "homelab_streams 2.0" in lines
    assert "homelab_resources 50.0" in lines
    assert 'homelab_latency_seconds_bucket{le="1.0"} 1.0' in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
    assert CONTENT_TYPE.startswith("text/plain")


def test_two_agents_in_one_process_do_not_share_numbers() -> None:
    Metrics().counter("requests", "Requests answered").inc()

    assert b"homelab_requests" not in Metrics().render()
