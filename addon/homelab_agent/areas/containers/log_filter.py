"""Which lines of a log somebody may see and wants to see."""

from homelab_agent.areas.containers.models import LogOutput
from homelab_agent.platform.engine.logs import CUT_MARK, LONGEST_LINE, PackedLine
from homelab_agent.platform.engine.models import LogLine, LogStream
from homelab_agent.platform.secrets import SecretFilter

SHOWN_CHARS = LONGEST_LINE - 1024
"""A line that was cut may end in the middle of a secret: so much of its end is not shown."""

STREAMS = {
    LogOutput.BOTH: None,
    LogOutput.STDOUT: LogStream.STDOUT,
    LogOutput.STDERR: LogStream.STDERR,
}


class LogFilter:
    """Finds plain text, capitals or not, in lines whose secrets are masked already."""

    def __init__(self, secrets: SecretFilter, search: str | None) -> None:
        self._secrets = secrets
        self._search = search.casefold() if search else None
        self._raw = self._search.encode() if self._search and self._search.isascii() else None

    def may_match(self, line: PackedLine) -> bool:
        """Return False for a line that surely is not wanted, at little cost."""
        return self._raw is None or self._raw in line.raw.lower()

    def shown(self, packed: PackedLine) -> LogLine | None:
        """Return a line as it may be seen; None where it is not wanted."""
        line = self.masked(packed.unpack())
        # What is masked is not searched: whoever searches would find a secret letter by letter.
        if self._search is not None and self._search not in line.text.casefold():
            return None
        return line

    def masked(self, line: LogLine) -> LogLine:
        """Return a line without the secrets that the agent knows."""
        text = self._secrets.mask(line.text)
        if line.text.endswith(CUT_MARK) and len(text) > SHOWN_CHARS:
            text = text[:SHOWN_CHARS] + CUT_MARK
        return line if text == line.text else line.model_copy(update={"text": text})
