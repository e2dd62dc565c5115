"""How many files and connections this process may have open at once."""

import resource

WANTED = 16384
"""Enough for the kernel's files of a thousand containers. Most systems give 1024 unless asked."""


def open_files_allowed() -> int:
    """Return how many may be open, after asking the system for enough of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WANTED
    if soft < WANTED:
        soft = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
