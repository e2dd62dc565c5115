"""Files of certificates: always a pair that fits, also for who reads at the wrong moment."""

import asyncio
import ssl
import threading
from pathlib import Path

import pytest

from homelab_agent.areas.renewal import key_tools
from homelab_agent.areas.renewal.files import CertificateFolders
from homelab_agent.areas.renewal.keys import Bundle
from homelab_agent.platform.errors import Conflict, Failed
from tests.fakes.tls_servers.authority import self_signed

KEY = "photos.home.example"
SWITCHES, LOOKS = 300, 50


def bundle() -> Bundle:
    made = self_signed(KEY)
    return key_tools.bundle(made.chain_pem.decode(), None, made.key_pem.decode())


@pytest.fixture
def folders(tmp_path: Path) -> CertificateFolders:
    return CertificateFolders(tmp_path / "certificates")


async def test_who_follows_the_link_once_reads_a_pair_that_fits(
    folders: CertificateFolders,
) -> None:
    versions = [await folders.stage(KEY, bundle())]
    await folders.switch(KEY, versions[0])
    versions.append(await folders.stage(KEY, bundle()))
    done = threading.Event()

    def read() -> tuple[int, int]:
        misfits, reads = 0, 0
        place = folders.root / KEY / ".versions" / "current"
        while not done.is_set():
            # Looked at far more often than read: a moment without any is a short one.
            misfits += sum(not place.exists() for _ in range(LOOKS))
            now = place.resolve()
            try:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(now / "fullchain.pem", now / "privkey.pem")
            except ssl.SSLError, OSError:
                misfits += 1
            reads += 1
        return misfits, reads

    reading = asyncio.create_task(asyncio.to_thread(read))
    for number in range(SWITCHES):
        await folders.switch(KEY, versions[number % 2])
    done.set()
    misfits, reads = await reading
    assert reads > 0
    assert misfits == 0


async def test_a_disk_that_takes_nothing_leaves_the_old_one_whole(
    folders: CertificateFolders,
) -> None:
    version = await folders.stage(KEY, bundle())
    await folders.switch(KEY, version)
    before = await folders.read(KEY, "privkey.pem")
    versions = folders.root / KEY / ".versions"
    # Also root cannot make a folder where a file of that name is.
    new = bundle()
    facts = new.facts
    name = f"{facts.not_before:%Y%m%d%H%M%S}-{facts.fingerprint_sha256[:12]}.new"
    (versions / name).write_text("in the way")
    with pytest.raises(Failed):
        await folders.stage(KEY, new)
    assert await folders.read(KEY, "privkey.pem") == before
    assert await folders.current(KEY) == version


async def test_a_crash_between_two_files_is_written_over(folders: CertificateFolders) -> None:
    new = bundle()
    version = await folders.stage(KEY, new)
    half = folders.root / KEY / ".versions" / f"{version}.new"
    (folders.root / KEY / ".versions" / version).rename(half)
    (half / "privkey.pem").unlink()
    assert await folders.stage(KEY, new) == version
    await folders.switch(KEY, version)
    assert await folders.read(KEY, "privkey.pem") == new.key


async def test_only_the_version_before_is_kept(folders: CertificateFolders) -> None:
    for _ in range(4):
        await folders.switch(KEY, await folders.stage(KEY, bundle()))
    versions = folders.root / KEY / ".versions"
    assert len([each for each in versions.iterdir() if not each.is_symlink()]) == 2


async def test_what_others_put_beside_it_stays_when_it_is_removed(
    folders: CertificateFolders,
) -> None:
    await folders.switch(KEY, await folders.stage(KEY, bundle()))
    theirs = folders.root / KEY / "dhparam.pem"
    theirs.write_text("theirs")
    await folders.remove(KEY)
    assert [each.name for each in (folders.root / KEY).iterdir()] == ["dhparam.pem"]


@pytest.mark.parametrize("link", [KEY, f"{KEY}/.versions"])
async def test_a_link_to_somewhere_else_is_neither_written_nor_cleared_through(
    folders: CertificateFolders, tmp_path: Path, link: str
) -> None:
    await folders.switch("own", await folders.stage("own", bundle()))
    theirs = tmp_path / "elsewhere" / "theirs"
    theirs.mkdir(parents=True)
    (folders.root / link).parent.mkdir(exist_ok=True)
    (folders.root / link).symlink_to(theirs.parent)
    for change in (
        folders.stage(KEY, bundle()),
        folders.switch(KEY, "theirs"),
        folders.copy("own", KEY),
    ):
        with pytest.raises(Conflict):
            await change
    await folders.remove(KEY)
    assert list((tmp_path / "elsewhere").iterdir()) == [theirs]
