"""Measures file systems, of which some may never answer."""

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Thread

from homelab_agent.platform.clock import Clock
from homelab_agent.platform.host.linux_files import readable
from homelab_agent.platform.host.linux_mounts import Mount
from homelab_agent.platform.host.machine import MountReading, Space
from homelab_agent.platform.logging import get_logger

DEADLINE_S = 3.0

_NOT_PASSED_ON = "It cannot be seen from the agent's container."
_COVERED = "Something else is mounted over a folder above it."

type _Identity = tuple[int, str, str]
type _Answer = Space | str
"""The figures, or why there are none."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Question:
    mount: Mount
    answer: asyncio.Future[_Answer]
    asked_at: datetime


class SpaceMeter:
    """Asks each file system in a thread of its own, and none again before it has answered.

    A thread that hangs keeps neither the others nor the end of the program waiting.
    """

    def __init__(self, root: str, clock: Clock, *, deadline_s: float = DEADLINE_S) -> None:
        self._root = root.rstrip("/")
        self._clock = clock
        self._deadline_s = deadline_s
        self._open: dict[_Identity, _Question] = {}
        self._asking = asyncio.Lock()

    async def measure(self, mounts: Sequence[Mount]) -> tuple[MountReading, ...]:
        """Return how full each is; waits for those that hang only the first time."""
        async with self._asking:
            there = {mount.identity for mount in mounts}
            late = self._still_open(there)
            # Noted before it is waited for: who asked may go away meanwhile.
            self._open = {
                mount.identity: late.get(mount.identity) or self._ask(mount) for mount in mounts
            }
            questions = [self._open[mount.identity] for mount in mounts]
            new = [each.answer for each in questions if each.mount.identity not in late]
            if new:
                await asyncio.wait(new, timeout=self._deadline_s)
            self._open = self._still_open(there)
        for identity in self._open.keys() - late.keys():
            mount = self._open[identity].mount
            _log.warning(
                "filesystem_hangs", mount_point=readable(mount.mount_point), type=mount.type
            )
        return tuple(
            _reading(mount, question) for mount, question in zip(mounts, questions, strict=True)
        )

    def _still_open(self, there: Collection[_Identity]) -> dict[_Identity, _Question]:
        return {
            identity: question
            for identity, question in self._open.items()
            if identity in there and not question.answer.done()
        }

    def _ask(self, mount: Mount) -> _Question:
        loop = asyncio.get_running_loop()
        question = _Question(mount, loop.create_future(), self._clock())

        def ask() -> None:
            answer = _measure(self._root, mount)
            try:
                loop.call_soon_threadsafe(question.answer.set_result, answer)
            except RuntimeError:  # the program has ended meanwhile
                return

        Thread(target=ask, name=f"statvfs {mount.device_number}", daemon=True).start()
        return question


def _reading(mount: Mount, question: _Question) -> MountReading:
    answer = question.answer.result() if question.answer.done() else None
    return MountReading(
        mount_point=readable(mount.mount_point),
        device=readable(mount.device),
        type=mount.type,
        read_only=mount.read_only,
        is_image=mount.is_image,
        is_passing=mount.is_passing,
        space=answer if isinstance(answer, Space) else None,
        hanging_since=question.asked_at if answer is None else None,
        error=answer if isinstance(answer, str) else None,
    )


def _measure(root: str, mount: Mount) -> _Answer:
    path = f"{root}{mount.mount_point}"
    try:
        # Below a mounted root, what is not passed on to it shows the file system underneath.
        if mount.type != "btrfs" and _device_number(path) != mount.device_number:
            return _NOT_PASSED_ON if root else _COVERED
        told = os.statvfs(path)
    except OSError as error:
        return f"{error.strerror}."
    # Whoever serves a file system of his own may tell more to be free than there is.
    return Space(
        size_bytes=told.f_blocks * told.f_frsize,
        used_bytes=max(told.f_blocks - told.f_bfree, 0) * told.f_frsize,
        available_bytes=min(told.f_bavail, told.f_blocks) * told.f_frsize,
        inodes=told.f_files or None,
        inodes_used=max(told.f_files - told.f_ffree, 0) if told.f_files else None,
    )


def _device_number(path: str) -> str:
    device = os.stat(path).st_dev  # noqa: PTH116  # beside statvfs
    return f"{os.major(device)}:{os.minor(device)}"
