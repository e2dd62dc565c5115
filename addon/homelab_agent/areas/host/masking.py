"""Commands without the secrets that people give to programs as arguments.

When in doubt more is masked: a command is shown to be recognised, not to be run again.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from homelab_agent.platform.secrets import MASK

LONGEST_COMMAND = 1000

_LONGEST_READ = 8000
"""Of an argument: it may be megabytes long, and whoever starts a process chooses it."""

_NAME = re.compile(
    r"""
    (?: pass(?:word|wd|phrase|code)? | pwd | secret | token | cred(?:ential)? | psk | jwt | cookie
      | (?: access|account|api|auth|encryption|license|private|secret|shared|signing ) [-_.]? key
      | masterauth
      | (?:^|[^a-z]) (?: pw | auth(?:orization)? )
    ) s? (?: $ | [^a-z] )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A name that stands before a secret: anything before these words, but no letter after them."""

_PLACE = re.compile(r"[-_](?:file|path|dir|fd|env|command)$", re.IGNORECASE)
"""Where a secret is to be found is none."""

_ASSIGNMENT = re.compile(r"([\w.-]+)([=:])(?!//)(.*)", re.DOTALL)
_NAMED = re.compile(r"(?<![\w.-])([\w.-]++)(\"?[=:]\s*+\"?)(?=[^\s\"&,;{}])")
"""The same in the middle of something: an address, JSON, a connection string."""

_VALUE = re.compile(r"(?:(?:basic|bearer|digest|token)\s+)?[^\s\"&,;{}]+", re.IGNORECASE)
_LOGIN = re.compile(r"([^:/%]+[:%]).+")
"""As curl has it, and with a percent sign as Samba's programs do."""

_LOGIN_OPTIONS = frozenset({"-u", "-U", "--user", "--proxy-user"})
_LOGIN_OF_ADDRESS = re.compile(r"(?<![^\s:/@=])([^\s:/@=]++:)[^\s:/@]++(@\w+\()")
"""Connection strings of programs in Go: "user:password@tcp(host)/base"."""

_ONE_LETTER = {
    "-p": re.compile(r"(?:mysql|mariadb)[\w-]*|mongo\w*|sshpass|7z[ar]?|rar|unrar|login"),
    "-P": re.compile(r"zip|unzip|mosquitto_(?:pub|sub|rr)|ipmitool"),
    "-a": re.compile(r"(?:redis|valkey)-cli"),
    "-w": re.compile(r"ldap[a-z]+"),
    "-c": re.compile(r"snmp[a-z]+"),
    "-A": re.compile(r"snmp[a-z]+"),
    "-X": re.compile(r"snmp[a-z]+"),
    "-k": re.compile(r"openssl"),
    "-K": re.compile(r"openssl"),
    "-y": re.compile(r"dig|kdig|delv|nsupdate|knsupdate"),
}
"""Options that are followed by a secret, and the programs that have them."""

_WORDS = re.compile(r"mysqladmin|nmcli")
"""To these a secret follows the bare word "password"."""

_BY_PLACE = {
    "htpasswd": re.compile(r"-\w*b\w*"),
    "mosquitto_passwd": re.compile(r"-\w*b\w*"),
    "wpa_passphrase": re.compile(r"wpa_passphrase"),
}
"""Programs that take a secret as one of their plain arguments, and what makes them do so.

The first plain argument behind that is the name of a file, a user or a network.
"""

_ASKS = re.compile(r"(?:mysql|mariadb)[\w-]*")
"""To these `-p` alone means to ask: what follows it is no secret."""


def shown_command(arguments: Sequence[str]) -> str | None:
    """Return a command as one text, stars instead of secrets; None where there is none."""
    text = ""
    for masked in _masked(arguments):
        text += f" {masked}"
        if len(text) > LONGEST_COMMAND:
            break
    return text[1 : LONGEST_COMMAND + 1] or None


def _masked(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments; one that is a line of words, as a shell gets it, is read as such."""
    programs: set[str] = set()
    before = ""
    plain = _PlainArguments()
    for whole in arguments:
        argument = whole[:_LONGEST_READ]
        if plain.is_secret(argument) or (
            _announces(before, programs) and not argument.startswith("--")
        ):
            yield MASK
        elif len(argument.split()) > 1 and not _is_assigned(argument):
            yield " ".join(_masked(_without_values(argument).split()))
        else:
            yield _one(argument, before, programs)
        programs.add(PurePosixPath(argument).name)
        before = argument


class _PlainArguments:
    """Counts the arguments that are no options, behind a program that takes secrets so."""

    def __init__(self) -> None:
        self._takes: re.Pattern[str] | None = None
        self._count: int | None = None

    def is_secret(self, argument: str) -> bool:
        """Return whether the next argument may be a secret by its place."""
        if self._takes is None:
            self._takes = _BY_PLACE.get(PurePosixPath(argument).name)
        if self._count is not None and not argument.startswith("-"):
            self._count += 1
            return self._count > 1
        if self._takes is not None and self._takes.fullmatch(PurePosixPath(argument).name):
            self._count = 0
        return False


def _announces(argument: str, programs: set[str]) -> bool:
    """Return whether the argument after this one is a secret."""
    whose = _ONE_LETTER.get(argument)
    if whose is not None:
        return any(whose.fullmatch(name) and not _ASKS.fullmatch(name) for name in programs)
    if argument == "password":
        return any(map(_WORDS.fullmatch, programs))
    return argument.startswith("-") and "=" not in argument and _names_secret(argument)


def _one(argument: str, before: str, programs: set[str]) -> str:
    if _is_assigned(argument) and (match := _ASSIGNMENT.fullmatch(argument)):
        return f"{match[1]}{match[2]}{MASK}"
    if before in _LOGIN_OPTIONS and (login := _LOGIN.fullmatch(argument)):
        return f"{login[1]}{MASK}"
    option = argument[:2]
    whose = _ONE_LETTER.get(option)
    if whose is not None and argument != option and any(map(whose.fullmatch, programs)):
        return f"{option}{MASK}"
    return _without_values(argument)


def _without_values(text: str) -> str:
    shown, at = "", 0
    for match in _NAMED.finditer(text):
        if match.start() < at or not _names_secret(match[1]):
            continue
        value = _VALUE.match(text, match.end())
        if value is not None:
            shown += text[at : value.start()] + MASK
            at = value.end()
    return _LOGIN_OF_ADDRESS.sub(rf"\1{MASK}\2", shown + text[at:])


def _is_assigned(argument: str) -> bool:
    match = _ASSIGNMENT.fullmatch(argument)
    return match is not None and bool(match[3]) and _names_secret(match[1])


def _names_secret(name: str) -> bool:
    return _NAME.search(name) is not None and _PLACE.search(name) is None
