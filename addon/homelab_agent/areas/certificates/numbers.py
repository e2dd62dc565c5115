"""The watched certificates for Prometheus: as they were published last."""

from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from homelab_agent.areas.certificates.models import CERTIFICATE_KIND, Certificate, Verdict
from homelab_agent.platform.metrics import PREFIX, Metrics
from homelab_agent.platform.resources import Resources


def export_certificates(metrics: Metrics, resources: Resources) -> None:
    """Have `metrics` tell when each ends and whether it is trusted; the unknown is left out."""

    def families() -> Iterable[Metric]:
        expiry = GaugeMetricFamily(
            f"{PREFIX}_certificate_expiry_timestamp_seconds",
            "When the certificate ends",
            labels=("certificate",),
        )
        trusted = GaugeMetricFamily(
            f"{PREFIX}_certificate_trusted",
            "1 where a client of today would trust it",
            labels=("certificate",),
        )
        for certificate in resources.every(CERTIFICATE_KIND, Certificate):
            key = certificate.key
            if certificate.details is not None:
                expiry.add_metric((key,), certificate.details.expires_at.timestamp())
            trusted.add_metric((key,), certificate.verdict is Verdict.TRUSTED)
        yield from (expiry, trusted)

    metrics.read_families(families)
