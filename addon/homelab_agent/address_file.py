"""Where the running agent can be reached from its own machine, for the command line and scripts."""

import ipaddress
from pathlib import Path

FILE_NAME = "address"


def local_url(host: str, port: int, *, tls: bool) -> str:
    """Return the address of what listens at `host` as this machine itself reaches it."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004  # the IP version
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def write_address(data_dir: Path, url: str) -> None:
    """Leave the address for others to find; they never see half of it."""
    new = data_dir / f"{FILE_NAME}.new"
    new.write_text(f"{url}\n", encoding="ascii")
    new.replace(data_dir / FILE_NAME)


def read_address(data_dir: Path) -> str | None:
    """Return the address that was left, None where there is none."""
    try:
        return (data_dir / FILE_NAME).read_text(encoding="ascii").strip() or None
    except FileNotFoundError, UnicodeDecodeError:
        return None


def remove_address(data_dir: Path) -> None:
    """Take the address away: nobody listens there any more."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)
