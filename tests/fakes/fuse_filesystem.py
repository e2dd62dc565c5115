"""A real file system that answers only when it is told to, as a server on the network that is lost.

    python fuse_filesystem.py PATH answers|hangs

SIGUSR1 lets one that hangs answer from now on; SIGUSR2 unmounts it. Each time it tells how full it
is, a megabyte more is used. It speaks the kernel's FUSE protocol, which needs root.
"""

import ctypes
import os
import signal
import struct
import sys
from types import FrameType

REQUEST = struct.Struct("<IIQQIIIHH")
ANSWER = struct.Struct("<IiQ")
INIT_ANSWER = struct.Struct("<IIIIHHIIHH32x")
STATFS_ANSWER = struct.Struct("<QQQQQIIII24x")
ATTRIBUTES_ANSWER = struct.Struct("<QIIQQQQQQIIIIIIIIII")

GETATTR, STATFS, INIT, FORGET, INTERRUPT = 3, 17, 26, 2, 36
NO_ANSWER = (FORGET, INTERRUPT)
ENOSYS = 38
MNT_DETACH = 2
FOLDER = 0o40755
BLOCK_BYTES = 1_000_000
BLOCKS = 1000


class Unmounted(Exception):
    """Somebody unmounted it."""


def main(path: str, mode: str) -> None:
    """Mount, and serve until unmounted."""
    answering = mode == "answers"
    libc = ctypes.CDLL(None, use_errno=True)

    def answer_from_now_on(_number: int, _frame: FrameType | None) -> None:
        nonlocal answering
        answering = True

    def unmount(_number: int, _frame: FrameType | None) -> None:
        libc.umount2(path.encode(), MNT_DETACH)
        raise Unmounted

    signal.signal(signal.SIGUSR1, answer_from_now_on)
    signal.signal(signal.SIGUSR2, unmount)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"fake", path.encode(), b"fuse.fake", 0, options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    serve_one(device, 0)
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    used = 100
    while not answering:
        signal.pause()
    while True:
        used += serve_one(device, used)


def serve_one(device: int, used: int) -> bool:
    """Answer one request; return whether it asked how full it is."""
    request = os.read(device, 1 << 17)
    _, kind, unique, *_ = REQUEST.unpack_from(request)
    if kind in NO_ANSWER:
        return False
    error, payload = 0, b""
    if kind == INIT:
        payload = INIT_ANSWER.pack(7, 31, 0, 0, 12, 9, 1 << 16, 1, 0, 0)
    elif kind == STATFS:
        free = BLOCKS - used
        payload = STATFS_ANSWER.pack(BLOCKS, free, free, 0, 0, BLOCK_BYTES, 255, BLOCK_BYTES, 0)
    elif kind == GETATTR:
        payload = ATTRIBUTES_ANSWER.pack(
            *(0, 0, 0), *(1, 0, 0), *(0, 0, 0), *(0, 0, 0), *(FOLDER, 2, 0, 0, 0, 4096, 0)
        )
    else:
        error = -ENOSYS
    os.write(device, ANSWER.pack(ANSWER.size + len(payload), error, unique) + payload)
    return bool(kind == STATFS)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Unmounted:
        sys.exit(0)
