"""The demo: six believable certificates, the same ones after a restart."""

from homelab_agent.areas.certificates.demo import DemoCertificates
from homelab_agent.areas.certificates.ladder import stage_of
from homelab_agent.areas.certificates.looking import Looker, keeps_none
from homelab_agent.areas.certificates.models import CertificateReport, ExpiryStage, Verdict
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.trust import TrustStore
from homelab_agent.platform.clock import utc_now


async def reports() -> dict[str, CertificateReport]:
    demo = DemoCertificates(utc_now)
    service = CertificateService(demo, TrustStore(utc_now, demo.authority), utc_now)
    looker = Looker(service, demo, keeps_none)
    return {place.name: await looker.look(place) for place in await demo.found()}


async def test_the_demo_shows_each_kind_that_a_person_meets() -> None:
    found = await reports()

    assert {name: report.verdict for name, report in found.items()} == {
        "home.example.org": Verdict.TRUSTED,
        "mail.home.example.org:587": Verdict.TRUSTED,
        "git.home.example.org": Verdict.EXPIRED,
        "nas.home.example.org:5001": Verdict.SELF_SIGNED,
        "tv.home.example.org": Verdict.WRONG_NAME,
        "photos.home.example.org": Verdict.TRUSTED,
    }
    mail = found["mail.home.example.org:587"].details
    assert mail
    assert stage_of(mail.expires_at, utc_now()) is ExpiryStage.DAYS_14


async def test_a_restart_of_the_demo_tells_of_no_changed_certificate() -> None:
    first, second = await reports(), await reports()

    assert all(report.details for report in first.values())
    assert {name: report.details for name, report in first.items()} == {
        name: report.details for name, report in second.items()
    }
