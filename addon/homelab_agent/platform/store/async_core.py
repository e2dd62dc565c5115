"""The asynchronous half of SQLAlchemy Core, without the ORM.

The package `sqlalchemy.ext.asyncio` imports the whole ORM for a session class that nothing here
uses: 8 MB, for as long as the agent runs. Its engine module needs none of that. So that module is
loaded below a package that is found but not run; whoever imports the package later gets all of it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]

_PACKAGE = "sqlalchemy.ext.asyncio"


@contextmanager
def _package_not_run() -> Iterator[None]:
    spec = None if _PACKAGE in sys.modules else find_spec(_PACKAGE)
    if spec is None:
        yield
        return
    sys.modules[_PACKAGE] = module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules[_PACKAGE]


with _package_not_run():
    from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine
