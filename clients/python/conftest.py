"""The server under test, one for each file of tests."""

from collections.abc import Iterator

import pytest

from harness import Backtrail, server_binary


def pytest_sessionstart() -> None:
    """Says once what is missing, not at each test."""
    try:
        server_binary()
    except RuntimeError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="module")
def backtrail() -> Iterator[Backtrail]:
    server = Backtrail()
    yield server
    server.stop()
