"""Where the running agent can be reached from its own machine, for the command line and scripts."""

import errno
import ipaddress
from contextlib import suppress
from pathlib import Path

from homelab_agent.platform.errors import SettingsError
from homelab_agent.platform.logging import get_logger

FILE_NAME = "address"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_log = get_logger(__name__)


def local_url(host: str, port: int, *, tls: bool) -> str:
    """Return the address of what listens at `host` as this machine itself reaches it."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004  # the IP version
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def write_address(data_dir: Path, url: str) -> None:
    """Leave the address for others to find; they never see half of it.

    On a full disk it is not left: then the agent is needed to say what fills it.

    Raises:
        SettingsError: the data folder does not take it.
    """
    new = data_dir / f"{FILE_NAME}.new"
    try:
        new.write_text(f"{url}\n", encoding="ascii")
        new.replace(data_dir / FILE_NAME)
    except OSError as error:
        if error.errno not in _FULL:
            raise SettingsError(
                f"{error.filename or new} cannot be written: {error.strerror}",
                field="data_dir",
                hint="Give the agent a data folder that it may write to",
            ) from error
        with suppress(OSError):
            new.unlink()
        if read_address(data_dir) != url:
            remove_address(data_dir)
        _log.error("disk_full", folder=str(data_dir), lost="what is new is not kept")


def read_address(data_dir: Path) -> str | None:
    """Return the address that was left, None where there is none.

    Raises:
        SettingsError: it is there, but not for us to read.
    """
    file = data_dir / FILE_NAME
    try:
        return file.read_text(encoding="ascii").strip() or None
    except FileNotFoundError, UnicodeDecodeError:
        return None
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}", field="data_dir") from error


def remove_address(data_dir: Path) -> None:
    """Take the address away, where that can be done: nobody listens there any more."""
    with suppress(OSError):
        (data_dir / FILE_NAME).unlink()
