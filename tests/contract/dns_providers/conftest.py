"""The table that the suite ends with; `pytest -s` shows it."""

from collections.abc import Iterator

import pytest

from tests.contract.dns_providers.cases import Table


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    table = Table()
    yield table
    print("\n" + "\n".join(table.lines()))  # noqa: T201
