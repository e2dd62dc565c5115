"""A PostgreSQL server of the tests' own, on a loopback port the system chose."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness.ports import free_port

PASSWORD = "only-for-tests"
START_S = 60


def binaries() -> Path | None:
    """Return the folder of the newest server program, where one is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """Run a server with an empty database cluster; yield its URL without a database."""
    folder = Path(tempfile.mkdtemp(prefix="homelab-postgres-"))
    data = folder / "data"
    port = free_port()
    try:
        (folder / "password").write_text(PASSWORD)
        _give_away(folder)
        _run(
            programs / "initdb",
            *("--username=postgres", "--auth=scram-sha-256", "--no-sync", "--locale=C.UTF-8"),
            *(f"--pwfile={folder}/password", f"--pgdata={data}"),
        )
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
        log = f"--log={folder}/log"
        control = programs / "pg_ctl"
        _run(control, "start", "-w", f"-t{START_S}", f"-D{data}", log, "-o", options)
        try:
            yield f"postgresql+asyncpg://postgres:{PASSWORD}@127.0.0.1:{port}"
        finally:
            _run(control, "stop", "-w", "-mimmediate", f"-D{data}")
    finally:
        shutil.rmtree(folder)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [*_as_postgres(), *map(str, command)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=START_S,
        text=True,
        cwd="/",
    )
    assert done.returncode == 0, done.stdout


def _as_postgres() -> Sequence[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid():
        return ()
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")


def _give_away(folder: Path) -> None:
    if os.geteuid():
        return
    user = pwd.getpwnam("postgres")
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
