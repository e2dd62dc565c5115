"""The only door: the HTTP server with its routes, and the order in which it opens and closes."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from secrets import token_hex
from time import perf_counter

import structlog
from aiohttp import web

from homelab_agent.api.auth import Authenticator, Login
