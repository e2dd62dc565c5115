"""Whether the machine waits for a reboot, where its system tells."""

import os
import re

from homelab_agent.platform.host.linux_files import read_text

_MARKS = ("run/reboot-required", "var/run/reboot-required")
_MOST_NAMES = 5
_KERNEL = re.compile(r"vmlinuz-(.+)")
_FLAVOUR = re.compile(r"[A-Za-z][\w]*$")


def reboot_reason(root: str, running: str) -> tuple[bool | None, str | None]:
    """Return whether a reboot is required and why; None where the system does not tell.

    `running` is the version of the kernel that runs.
    """
    for mark in _MARKS:
        if os.path.exists(f"{root}/{mark}"):  # noqa: PTH110
            packages = dict.fromkeys((read_text(f"{root}/{mark}.pkgs") or "").split())
            if not packages:
                return True, None
            more = "" if len(packages) <= _MOST_NAMES else " and more"
            return True, f"Updated: {', '.join(list(packages)[:_MOST_NAMES])}{more}"
    kernels = [match[1] for name in _names(f"{root}/boot") if (match := _KERNEL.fullmatch(name))]
    if running not in kernels:
        # Somebody else's kernel, as in a virtual machine of the lighter kind: nothing to compare.
        return None, None
    newest = max((each for each in kernels if _is_alike(each, running)), key=_order)
    if _order(newest) > _order(running):
        return True, f"Kernel {newest} is installed, {running} is running"
    return False, None


def _is_alike(kernel: str, running: str) -> bool:
    one, other = _FLAVOUR.search(kernel), _FLAVOUR.search(running)
    return (one and one[0]) == (other and other[0])


def _order(kernel: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", kernel))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # names only
    except OSError:
        return []
