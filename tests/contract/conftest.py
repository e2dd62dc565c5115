"""What every conformance test gets."""

from tests.guards import no_file_left_open, nothing_left_running, unblocked_loop

__all__ = ["no_file_left_open", "nothing_left_running", "unblocked_loop"]
