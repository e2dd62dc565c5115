"""Certificates from a real authority, proven in a real DNS."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.harness.pebble import PebbleOptions
from tests.harness.waiting import wait_until
from tests.lab.renewal_world import ZONE, RenewalWorld

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

REJECTED_PERCENT = 20
SHORT_LIFE_S = 300
HMAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RenewalWorld]:
    """Every fifth nonce is refused all the time, as by an authority behind several doors.

    It takes only who has an account at its website, too.
    """
    folder: Path = tmp_path_factory.mktemp("renewal")
    options = PebbleOptions(
        nonce_reject_percent=REJECTED_PERCENT, external_accounts={"home": HMAC_KEY}
    )
    async with RenewalWorld(folder, options) as world:
        yield world


async def test_a_certificate_for_one_name_is_there_with_files_that_fit(world: RenewalWorld) -> None:
    status, answer = await world.issue(f"www.{ZONE}")
    assert status == 200, answer
    found = await world.certificate(f"www.{ZONE}")
    assert found["state"] == "valid"
    assert found["names"] == [f"www.{ZONE}"]
    assert found["failure"] is None
    assert datetime.fromisoformat(found["renew_at"]) < datetime.fromisoformat(found["expires_at"])
    await world.require_fits(f"www.{ZONE}")
    folder = world.certificates / f"www.{ZONE}"
    for place, mode in ((folder, 0o700), (folder / "privkey.pem", 0o600)):
        assert place.stat().st_mode & 0o777 == mode, place


async def test_an_account_that_the_website_does_not_know_is_told_as_that(
    world: RenewalWorld,
) -> None:
    wrong = {"external_key_id": "nobody", "external_hmac_key": HMAC_KEY[::-1]}
    await world.set_account(world.pebble.directory, **wrong)
    status, answer = await world.issue(f"website.{ZONE}")
    failure = (await world.certificate(f"website.{ZONE}"))["failure"]
    assert (status, failure["step"]) == (502, "account"), answer
    assert "key id and HMAC key" in failure["what_to_do"]

    half = {"directory": world.pebble.directory, "terms_agreed": True, "external_key_id": "home"}
    status, answer = await world.ask("PUT", "/acme/account", half)
    assert (status, answer["field"]) == (422, "external_hmac_key")

    await world.set_account(world.pebble.directory)
    account = await world.done("GET", "/acme/account")
    assert (account["external_key_id"], account["registered"]) == ("home", False)
    await world.renew(f"website.{ZONE}")
    assert (await world.certificate(f"website.{ZONE}"))["state"] == "valid"


async def test_wildcard_and_apex_are_proven_side_by_side_at_one_name(world: RenewalWorld) -> None:
    status, answer = await world.issue(f"*.{ZONE}", ZONE, f"photos.{ZONE}", key="all")
    assert status == 200, answer
    # What the wildcard covers already is not ordered besides: authorities refuse that.
    assert (await world.certificate("all"))["names"] == [f"*.{ZONE}", ZONE]
    assert await world.txt_left() == []


async def test_the_chain_leads_to_the_authority(world: RenewalWorld, tmp_path: Path) -> None:
    await world.issued(f"chain.{ZONE}")
    root = await world.pebble.write_root(tmp_path / "root.pem")
    context = ssl.create_default_context(cafile=root)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = world.certificates / f"chain.{ZONE}"
    serving.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
    server = await asyncio.start_server(_say_nothing, "127.0.0.1", 0, ssl=serving)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=f"chain.{ZONE}"
        )
        writer.close()


async def test_a_proof_that_is_led_elsewhere_by_a_cname_is_put_there(world: RenewalWorld) -> None:
    status, answer = await world.issue(f"moved.{ZONE}")
    assert status == 200, answer
    assert "moved.proofs" in await world.knot.zone_text(ZONE)  # the CNAME is a person's own
    assert await world.txt_left() == []


async def test_other_proofs_at_the_same_name_stay(world: RenewalWorld) -> None:
    await world.knot.edit(ZONE, put=("_acme-challenge.shared 60 TXT another-client",))
    status, answer = await world.issue(f"shared.{ZONE}")
    assert status == 200, answer
    (left,) = await world.txt_left()
    assert "another-client" in left
    await world.knot.edit(ZONE, drop=("_acme-challenge.shared TXT",))


def replacing_orders(world: RenewalWorld) -> int:
    """Count the orders that the authority saw as the renewal of another one."""
    return world.pebble.log.read_text().count("is a replacement of")


async def test_renewed_now_when_asked_and_the_version_before_is_kept(world: RenewalWorld) -> None:
    before = await world.issue_replaceable(f"again.{ZONE}")
    replaced = replacing_orders(world)
    await world.renew(f"again.{ZONE}")
    after = await world.certificate(f"again.{ZONE}")
    assert after["serial"] != before["serial"]
    await world.require_fits(f"again.{ZONE}")
    # Which is what keeps it out of the limits of authorities (RFC 9773).
    assert replacing_orders(world) == replaced + 1
    versions = world.certificates / f"again.{ZONE}" / ".versions"
    assert len([each for each in versions.iterdir() if not each.is_symlink()]) == 2


async def wanted_earlier(world: RenewalWorld, key: str) -> None:
    """Have the authority want a certificate renewed two hours ago."""
    now = datetime.now(UTC)
    window = {
        "start": (now - timedelta(hours=2)).isoformat(),
        "end": (now - timedelta(hours=1)).isoformat(),
    }
    pem = (world.certificates / key / "cert.pem").read_text()
    await world.pebble.set_renewal_info(pem, {"suggestedWindow": window})
    # It is asked soon after a start, and again when it wants that.
    await world.agent.stop()
    await world.agent.start()


async def test_when_the_authority_wants_it_renewed_is_shown_and_a_new_one_is_spared(
    world: RenewalWorld,
) -> None:
    key = f"ari.{ZONE}"
    before = await world.issued(key)
    await wanted_earlier(world, key)

    async def renewal_is_due() -> bool:
        found = await world.certificate(key)
        return datetime.fromisoformat(found["renew_at"]) < datetime.now(UTC)

    await wait_until(renewal_is_due, what="the authority's wish to be known", within_s=60)
    # Younger than an hour nothing is renewed by itself, whatever the authority says.
    assert (await world.certificate(key))["serial"] == before["serial"]


async def test_renewed_by_itself_when_the_authority_wants_it(tmp_path: Path) -> None:
    key = f"short.{ZONE}"
    options = PebbleOptions(validity_s=SHORT_LIFE_S)
    async with RenewalWorld(tmp_path, options) as world:
        before = await world.issued(key)
        await wanted_earlier(world, key)

        async def renewed() -> bool:
            found = await world.certificate(key)
            return bool(found["serial"] != before["serial"])

        # Long before a third of its life is left.
        await wait_until(renewed, what="the renewal", within_s=SHORT_LIFE_S / 2)
        await world.until_state(key, "valid")
        await world.require_fits(key)
        assert await world.txt_left() == []


async def test_revoked_at_the_authority_and_its_files_go_only_when_deleted(
    world: RenewalWorld,
) -> None:
    key = f"revoked.{ZONE}"
    serial = (await world.issued(key))["serial"]
    body = {"reason": "superseded", "wait_s": 60}
    await world.done("POST", f"/managed-certificates/{key}/revoke", body)
    assert (await world.certificate(key))["state"] == "revoked"
    assert (await world.pebble.certificate_status(serial))["Status"] == "Revoked"
    assert (world.certificates / key / "privkey.pem").exists()
    await world.done("DELETE", f"/managed-certificates/{key}")
    assert not (world.certificates / key).exists()
    assert (await world.ask("GET", f"/managed-certificates/{key}"))[0] == 404


async def test_a_folder_of_ones_own_gets_it_too(world: RenewalWorld) -> None:
    status, answer = await world.issue(f"mail.{ZONE}", hand_over={"folder": "mailserver"})
    assert status == 200, answer
    await world.require_fits("mailserver")
    own, copied = (
        (world.certificates / each / "cert.pem").read_text()
        for each in (f"mail.{ZONE}", "mailserver")
    )
    assert own == copied


async def test_no_key_is_anywhere_but_in_its_file(world: RenewalWorld) -> None:
    await world.issued(f"secret.{ZONE}")
    key = (world.certificates / f"secret.{ZONE}" / "privkey.pem").read_text()
    body = "".join(key.splitlines()[1:-1])
    jobs = json.dumps(await world.done("GET", "/jobs?limit=100"))
    activity = json.dumps(await world.done("GET", "/activity?limit=100"))
    account = json.dumps(await world.done("GET", "/acme/account"))
    assert HMAC_KEY not in account
    for piece in (body, *key.splitlines()[1:-1], HMAC_KEY):
        assert piece not in jobs
        assert piece not in activity
        assert piece not in world.agent.log.read_text()
        for file in world.agent.data_dir.glob("homelab.db*"):
            assert piece.encode() not in file.read_bytes(), file


async def _say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
