"""Certificates in files: what is found, what is read of it, and what is not."""

import os
import threading
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from homelab_agent.areas.certificates.board import CertificateBoard
from homelab_agent.areas.certificates.confined import MOST_BYTES
from homelab_agent.areas.certificates.files import CertificateFiles
from homelab_agent.areas.certificates.files_watch import FilesWatch
from homelab_agent.areas.certificates.looking import Looker, keeps_none
from homelab_agent.areas.certificates.models import CERTIFICATE_KIND, Certificate, Verdict
from homelab_agent.areas.certificates.nothing import Nothing
from homelab_agent.areas.certificates.service import CertificateService
from homelab_agent.areas.certificates.store import CertificateStore
from homelab_agent.areas.certificates.watch import CertificateWatch, Rhythm
from homelab_agent.platform.clock import utc_now
from homelab_agent.platform.errors import Denied, Invalid, Unavailable
from homelab_agent.platform.lone_thread import LoneThread
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.store.database import Store
from tests.fakes.tls_servers import Authority, Issued
from tests.harness.waiting import wait_until

OWN = Path("/")
MOUNTED = Path("/nothing/is/mounted/here")


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    return folder


@pytest.fixture
def files(allowed: Path) -> CertificateFiles:
    return CertificateFiles(MOUNTED, (allowed,), ())


def put(folder: Path, name: str, issued: Issued, *, key: bool = True) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((issued.key_pem if key else b"") + issued.chain_pem)
    return str(path)


async def test_a_chain_is_read_from_pem_with_a_key_and_from_der(
    files: CertificateFiles, authority: Authority, allowed: Path
) -> None:
    issued = authority.issue("a.example")
    with_key = put(allowed, "with-key.pem", issued)
    (allowed / "a.der").write_bytes(issued.der)
    (allowed / "windows.pem").write_bytes(
        b"some words\r\n" + issued.chain_pem.replace(b"\n", b"\r\n")
    )

    assert await files.read_file(with_key) == issued.ders
    assert await files.read_file(str(allowed / "a.der")) == (issued.der,)
    assert await files.read_file(str(allowed / "windows.pem")) == issued.ders


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "holds no certificate"),
        (os.urandom(4096).replace(b"-", b"").replace(b"0", b""), "holds no certificate"),
    ],
)
async def test_a_file_without_a_certificate_is_told_in_words(
    files: CertificateFiles, allowed: Path, content: bytes, says: str
) -> None:
    (allowed / "x.pem").write_bytes(content)

    found = await files.read_file(str(allowed / "x.pem"))
    assert isinstance(found, Nothing)
    assert found.verdict is Verdict.NO_CERTIFICATE
    assert says in found.reason


async def test_a_file_that_is_no_certificate_inside_is_told_in_words(
    service: CertificateService,
) -> None:
    report = await service.judge_file((b"0\x82\x01\x00garbage",))
    assert report.verdict is Verdict.NO_CERTIFICATE
    assert "no readable certificate" in (report.reason or "")


async def test_only_what_the_settings_allow_is_read(
    files: CertificateFiles, authority: Authority, allowed: Path, tmp_path: Path
) -> None:
    outside = put(tmp_path / "outside", "secret.pem", authority.issue("secret.example"))
    (allowed / "link.pem").symlink_to(outside)
    (allowed / "folder").symlink_to(tmp_path / "outside")
    (allowed / "loop").symlink_to(allowed / "loop")

    for path in (
        outside,
        str(allowed / "link.pem"),
        str(allowed / "folder" / "secret.pem"),
        f"{allowed}/../outside/secret.pem",
        "/etc/shadow",
    ):
        with pytest.raises(Denied) as denied:
            await files.below(path)
        assert "certificate_paths" in (denied.value.hint or "")
        found = await files.read_file(path)
        assert isinstance(found, Nothing)
    assert await files.below(str(allowed)) == (), "nor is it found by walking"
    assert isinstance(await files.read_file(str(allowed / "loop")), Nothing)
    with pytest.raises(Invalid):
        await files.below(str(allowed / "nothing"))


async def test_a_pipe_and_a_huge_file_keep_nobody_waiting(
    files: CertificateFiles, authority: Authority, allowed: Path
) -> None:
    os.mkfifo(allowed / "pipe.pem")
    put(allowed, "huge.pem", authority.issue("huge.example"))
    with (allowed / "huge.pem").open("ab") as file:
        file.truncate(MOST_BYTES * 4000)

    assert isinstance(await files.read_file(str(allowed / "pipe.pem")), Nothing)
    assert await files.below(str(allowed)) == (str(allowed / "huge.pem"),)


async def test_the_layout_of_certbot_is_one_certificate_for_each_name(
    authority: Authority, tmp_path: Path
) -> None:
    base = tmp_path / "letsencrypt"
    for number, days in ((1, -30), (2, 60)):
        issued = authority.issue("a.example", days=days)
        for part, data in (
            ("cert", issued.sending().chain_pem),
            ("chain", authority.intermediate.chain_pem),
            ("fullchain", issued.chain_pem),
            ("privkey", issued.key_pem),
        ):
            path = base / "archive/a.example" / f"{part}{number}.pem"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    live = base / "live/a.example"
    live.mkdir(parents=True)
    for part in ("cert", "chain", "fullchain", "privkey"):
        (live / f"{part}.pem").symlink_to(f"../../archive/a.example/{part}2.pem")

    files = CertificateFiles(OWN, (base,), ())
    assert await files.below(str(base)) == (str(live / "fullchain.pem"),)


async def test_the_files_of_the_machine_are_found_where_a_container_has_them_mounted(
    authority: Authority, tmp_path: Path
) -> None:
    root = tmp_path / "host"
    put(root, "etc/ssl/own/real.pem", authority.issue("a.example"))
    (root / "etc/ssl/own/link.pem").symlink_to("/etc/ssl/own/real.pem")
    (root / "etc/ssl/own/out.pem").symlink_to("/etc/passwd")
    files = CertificateFiles(root, (Path("/etc/ssl/own"),), ())

    assert isinstance(await files.read_file("/etc/ssl/own/link.pem"), tuple)
    assert isinstance(await files.read_file("/etc/ssl/own/out.pem"), Nothing)


async def test_a_store_of_caddy_shows_the_newest_certificate_of_each_name(
    authority: Authority, tmp_path: Path
) -> None:
    for days, issuer in ((1, "local"), (2, "acme-v02.api.letsencrypt.org-directory")):
        issued = authority.issue("a.example")
        path = Path(put(tmp_path, f"certificates/{issuer}/a.example/a.example.crt", issued))
        os.utime(path, (days * 86400, days * 86400))
    put(
        tmp_path,
        "certificates/local/wildcard_.b.example/wildcard_.b.example.crt",
        authority.issue("*.b.example"),
    )
    (tmp_path / "certificates/local/broken").mkdir()

    found = await CertificateFiles(OWN, (), (tmp_path,)).found()
    assert {(each.key, each.name) for each in found} == {
        ("caddy-a.example", "a.example"),
        (next(each.key for each in found if "b.example" in each.key), "*.b.example"),
    }
    assert all("local" not in (each.path or "") for each in found if each.name == "a.example")


async def test_a_certificate_that_the_agent_keeps_there_is_not_shown_a_second_time(
    files: CertificateFiles, authority: Authority, allowed: Path
) -> None:
    issued = authority.issue("kept.example", days=80)
    put(allowed, "homelab/kept.example/.versions/20261121/fullchain.pem", issued)
    (allowed / "homelab/kept.example/fullchain.pem").symlink_to(".versions/20261121/fullchain.pem")
    other = put(allowed, "other.pem", authority.issue("other.example", days=80))

    assert [each.path for each in await files.found()] == [other]


async def test_a_file_whose_name_is_no_text_does_not_end_the_agent(
    files: CertificateFiles, authority: Authority, allowed: Path
) -> None:
    issued = authority.issue("a.example", days=80)
    for name in (b"caf\xe9.pem", b"caf\xe9/b.pem"):
        path = os.fsdecode(os.fsencode(allowed) + b"/" + name)
        put(Path(path).parent, Path(path).name, issued)
    other = put(allowed, "caf\u00e9.pem", authority.issue("other.example", days=80))

    assert [each.path for each in await files.found()] == [other]


async def test_files_on_a_drive_that_hangs_stay_known_and_keep_no_other_work_waiting(
    authority: Authority, allowed: Path
) -> None:
    path = put(allowed, "a.pem", authority.issue("a.example", days=80))
    thread = LoneThread("certificate files", within_s=0.05)
    files = CertificateFiles(MOUNTED, (allowed,), (allowed / "caddy",), thread)
    answers = threading.Event()
    with pytest.raises(TimeoutError):
        await thread.run(answers.wait)
    try:
        for ask in (files.found, partial(files.read_file, path), partial(files.stamp, path)):
            with pytest.raises(Unavailable, match="does not answer"):
                await ask()
    finally:
        answers.set()

    async def is_found() -> bool:
        with suppress(Unavailable):
            return [each.path for each in await files.found()] == [path]
        return False

    await wait_until(is_found, what="the files of the drive that is back")


async def test_files_are_watched_as_they_come_change_and_go(
    service: CertificateService,
    authority: Authority,
    allowed: Path,
    store: Store,
    resources: Resources,
) -> None:
    files = CertificateFiles(OWN, (allowed,), ())
    board = CertificateBoard(CertificateStore(store, utc_now), resources, utc_now)
    look = Looker(service, files, keeps_none).look
    watch = CertificateWatch(board, look, utc_now, Rhythm(interval_s=3600))
    follow = FilesWatch(files, board, watch)
    await watch.load()

    async def shown() -> dict[str, Certificate]:
        await follow.scan()
        await watch.catch_up()
        found = (resources.get(CERTIFICATE_KIND, key) for key in resources.keys(CERTIFICATE_KIND))
        return {each.path or "": each for each in found if isinstance(each, Certificate)}

    path = put(allowed, "a.pem", authority.issue("a.example", days=20))
    first = (await shown())[path]
    assert (first.verdict, first.days_left, first.removable) == (Verdict.TRUSTED, 19, False)

    put(allowed, "a.pem", authority.issue("a.example", days=80))
    second = (await shown())[path]
    assert (second.days_left, second.key) == (79, first.key)
    assert second.changed_at is not None

    (allowed / "a.pem").unlink()
    assert await shown() == {}


async def test_folders_of_links_that_hold_nothing_are_not_gone_through_without_end(
    allowed: Path,
) -> None:
    levels = [allowed / f"level{number}" for number in range(6)]
    for level in levels:
        level.mkdir()
    for level, below in pairwise(levels):
        for number in range(40):
            (level / f"link{number}").symlink_to(below)

    thread = LoneThread("certificate files", within_s=120)
    files = CertificateFiles(MOUNTED, (allowed,), (), thread)
    assert await files.below(str(levels[0])) == ()
