"""One declared operation as an HTTP handler: parse, ask the gate, answer."""

from typing import Any

from aiohttp import web

from homelab_agent.api.auth import Authenticator
from homelab_agent.api.request_parsing import (
    parse_body,
    parse_path,
    parse_query,
    refuse_body,
    refuse_query,
)
from homelab_agent.platform.commands import Caller, Operation
from homelab_agent.platform.gate import Gate
from homelab_agent.platform.jobs.models import CommandResult
from homelab_agent.platform.model import Model

