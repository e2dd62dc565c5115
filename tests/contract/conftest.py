"""What every conformance test gets."""

from tests.guards import nothing_left_running, unblocked_loop

__all__ = ["nothing_left_running", "unblocked_loop"]
