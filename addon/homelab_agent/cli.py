"""The command `homelab-agent`. Every error is a sentence on stderr; never a trace."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from homelab_agent import __version__
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.errors import AgentError

if TYPE_CHECKING:
    from homelab_agent.platform.settings import Settings

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_USAGE = 64
EXIT_BROKEN = 70
EXIT_INTERRUPTED = 130
EXIT_NOT_READ = 141
"""As of a program that SIGPIPE ended. 64 and 70 are those of sysexits.h: what `check` says of
services with 0, 1 and 2 must not be said of a command that nobody understood."""

type Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    command: Command | None = given.command
    if command is None and given.demo:
        command = _serve
    if command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        code = command(given)
        sys.stdout.flush()
    except AgentError as error:
        _complain(error.message, error.hint)
        return EXIT_REFUSED
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NOT_READ
    except Exception as error:  # noqa: BLE001  # nobody is shown a trace
        _complain(f"This should not have happened: {type(error).__name__}: {error}", None)
        return EXIT_BROKEN
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return code


class _Parser(argparse.ArgumentParser):
    """Ends with a code of its own where it is given what it does not understand."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="homelab-agent",
        description="The agent of Homelab for Home Assistant: sees and operates one Docker host.",
    )
    parser.add_argument("--version", action="version", version=f"homelab-agent {__version__}")
    _add_config(parser, default=None)
    _add_demo(parser, default=False)
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the agent")
    _add_config(serve)
    _add_demo(serve)
    serve.set_defaults(command=_serve)
    _add_token_commands(commands)
    openapi = commands.add_parser("openapi", help="print the API's description")
    openapi.add_argument("--stream", action="store_true", help="the stream's messages instead")
    openapi.set_defaults(command=_openapi)
    replacing = commands.add_parser(
        "replace-container", help="replace the agent's container (what its helper container does)"
    )
    _add_config(replacing)
    replacing.add_argument("--job", required=True, metavar="ID", help="the job it belongs to")
    replacing.add_argument("order", metavar="TARGET", help="what to replace, as JSON")
    replacing.set_defaults(command=_replace_container)
    health = commands.add_parser("health", help="ask a running agent how it is")
    _add_config(health)
    health.add_argument("--url", help="its address; that of this machine's agent by default")
    health.set_defaults(command=_health)
    _add_check(commands)
    return parser


# Both may stand before the command or after it. What is suppressed does not undo what was said.
def _add_config(parser: argparse.ArgumentParser, default: str | None = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "--config", type=Path, metavar="FILE", default=default, help="settings (TOML)"
    )


def _add_demo(
    parser: argparse.ArgumentParser,
    *,
    default: str | bool = argparse.SUPPRESS,
) -> None:
    parser.add_argument(
        "--demo",
        action="store_true",
        default=default,
        help="show an invented homelab instead of Docker",
    )


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    check = commands.add_parser(
        "check",
        help="print how the monitored services are",
        description="Prints how the monitored services are, as the running agent knows it. "
        "Exit code: 0 nothing is down, 1 something optional is, 2 something critical is, "
        "3 the agent could not be asked or knows no such monitor, 64 the command is wrong.",
    )
    _add_config(check)
    check.add_argument(
        "--format", default="table", choices=["table", "json", "markdown", "csv"], help="how"
    )
    check.add_argument("names", nargs="*", metavar="NAME", help="only these monitors")
    check.set_defaults(command=_check)


def _add_token_commands(
    commands: argparse._SubParsersAction[_Parser],
) -> None:
    token = commands.add_parser("token", help="create, list and revoke tokens")
    actions = token.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = actions.add_parser("create", help="print a new token, once")
    _add_config(create)
    create.add_argument("--name", required=True, help="what the token is for")
    create.add_argument("--scope", required=True, choices=[scope.value for scope in Scope])
    create.set_defaults(command=_token_create)
    listing = actions.add_parser("list", help="list the tokens")
    _add_config(listing)
    listing.set_defaults(command=_token_list)
    revoke = actions.add_parser("revoke", help="make a token useless")
    _add_config(revoke)
    revoke.add_argument("name", metavar="NAME", help="the token's name or id")
    revoke.set_defaults(command=_token_revoke)


def _settings(given: argparse.Namespace) -> Settings:
    from homelab_agent.platform.settings import load_settings  # noqa: PLC0415

    return load_settings(given.config, overrides={"demo": True} if given.demo else None)


def _serve(given: argparse.Namespace) -> int:
    from homelab_agent.app import serve  # noqa: PLC0415

    return asyncio.run(serve(_settings(given)))


def _token_create(given: argparse.Namespace) -> int:
    from homelab_agent.token_commands import create_token  # noqa: PLC0415

    scope = Scope(given.scope)
    sys.stdout.write(asyncio.run(create_token(_settings(given), given.name, scope)) + "\n")
    return EXIT_OK


def _token_list(given: argparse.Namespace) -> int:
    from homelab_agent.token_commands import list_tokens  # noqa: PLC0415

    for token in asyncio.run(list_tokens(_settings(given))):
        made = f"{token.created_at:%Y-%m-%d %H:%M}"
        sys.stdout.write(f"{token.id}  {token.scope:8}  {made}  {token.name}\n")
    return EXIT_OK


def _token_revoke(given: argparse.Namespace) -> int:
    from homelab_agent.token_commands import revoke_token  # noqa: PLC0415

    token = asyncio.run(revoke_token(_settings(given), given.name))
    sys.stdout.write(f"Revoked {token.name} ({token.id}).\n")
    return EXIT_OK


def _openapi(given: argparse.Namespace) -> int:
    from homelab_agent.api.openapi import openapi_document  # noqa: PLC0415
    from homelab_agent.api.other_routes import BASE_PATH  # noqa: PLC0415
    from homelab_agent.platform.contract import stream_schema  # noqa: PLC0415
    from homelab_agent.surface import RESOURCE_KINDS, described_operations  # noqa: PLC0415

    if given.stream:
        document = stream_schema(RESOURCE_KINDS)
    else:
        document = openapi_document(described_operations(), BASE_PATH)
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return EXIT_OK


def _health(given: argparse.Namespace) -> int:
    from homelab_agent.health_command import ask_health  # noqa: PLC0415

    settings = _settings(given)
    try:
        answer = ask_health(settings, given.url)
    except AgentError as error:
        # Docker's health check knows 0 and 1 alone.
        _complain(error.message, error.hint)
        return EXIT_FAILED
    sys.stdout.write(f"{answer}\n")
    return EXIT_OK


def _check(given: argparse.Namespace) -> int:
    from homelab_agent.check_command import (  # noqa: PLC0415
        NOT_ASKED,
        CheckFormat,
        ask_report,
        exit_code,
        written,
    )

    try:
        report = asyncio.run(ask_report(_settings(given), given.names))
    except AgentError as error:
        # 1 and 2 are said of services.
        _complain(error.message, error.hint)
        return NOT_ASKED
    sys.stdout.write(written(report, CheckFormat(given.format)))
    return exit_code(report)


def _replace_container(given: argparse.Namespace) -> int:
    from homelab_agent.areas.recreate.replace_container import replace_container  # noqa: PLC0415

    settings = _settings(given)
    said = asyncio.run(
        replace_container(settings.docker_url, settings.data_dir, given.job, given.order)
    )
    sys.stdout.write(f"{said}\n")
    return EXIT_OK


def _complain(message: str, hint: str | None) -> None:
    message = " ".join(message.split())  # one line, whatever was quoted
    sentence = message if message.endswith((".", "!", "?")) else f"{message}."
    sys.stderr.write(f"homelab-agent: {sentence}{f' {hint}' if hint else ''}\n")
