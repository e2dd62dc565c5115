"""What a deployment would change, for a person to read."""

import difflib

_LONGEST_DIFF = 200_000


def unified(before: str, after: str, *, old_name: str, new_name: str) -> str:
    """Return the difference of two models as a unified diff; empty where there is none."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), old_name, new_name, lineterm="", n=3
    )
    text = "\n".join(lines)
    if len(text) > _LONGEST_DIFF:
        return text[:_LONGEST_DIFF].rpartition("\n")[0] + "\n... (cut off)"
    return text
