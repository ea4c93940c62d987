"""Starts Backtrail's server for a test, reads back through its public APIs what it was sent, and stops it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests

START_TIMEOUT_SECONDS = 20
STOP_TIMEOUT_SECONDS = 20
READ_TIMEOUT_SECONDS = 10
POLL_INTERVAL_SECONDS = 0.025

LISTENERS = (
    "otlp-grpc",
    "otlp-http",
    "jaeger-http",
    "jaeger-grpc",
    "jaeger-sampling",
    "jaeger-agent-compact",
    "jaeger-agent-binary",
    "zipkin",
    "jaeger-query-grpc",
    "web",
)

T = TypeVar("T")


class Backtrail:
    """A server of its own, with a temporary data directory and ports that were free."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="backtrail-clients-"))
        self._printed = self._directory / "printed"
        port_file = self._directory / "ports.json"
        listener_flags = [part for name in LISTENERS for part in (f"--{name}", "127.0.0.1:0")]
        command = [server_binary(), "serve", "--data-dir", str(self._directory / "data"), *listener_flags]
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [*command, "--port-file", str(port_file)],
                cwd=self._directory,
                env=environment_without_settings(),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
            )
        try:
            self._addresses = self._await_listeners(port_file)
        except BaseException:
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._directory)
            raise

    def address(self, listener: str) -> str:
        """`host:port` of a listener, by its name in the port file."""
        return self._addresses[listener]

    def url(self, listener: str, path: str) -> str:
        return f"http://{self.address(listener)}{path}"

    def get(self, path: str, params: dict[str, str] | None = None) -> Any:
        response = requests.get(self.url("web", path), params, timeout=READ_TIMEOUT_SECONDS)
        assert response.status_code == 200, f"GET {path} answered {response.status_code}: {response.text}"
        return response.json()

    def skeleton(self, trace_id: str, span_count: int) -> dict[str, Any]:
        """The trace's skeleton, once that many spans of it have arrived."""

        def read() -> dict[str, Any]:
            skeleton = self.get(f"/api/v1/traces/{trace_id}/skeleton")
            assert skeleton["span_count"] == span_count
            return skeleton

        return eventually(read)

    def span(self, trace_id: str, span_id: str) -> dict[str, Any]:
        """The details of the one span with this id, as it was sent: what the server makes of an exception's stack is left out."""
        (span,) = self.get(f"/api/v1/traces/{trace_id}/spans/{span_id}")["spans"]
        for event in span["events"]:
            exception = event.pop("exception", None)
            if exception is not None and exception["stack"] is not None:
                # No line of Python is a frame of JavaScript.
                assert exception["stack"]["frames"] == []
        return span

    def jaeger_trace(self, trace_id: str) -> dict[str, Any]:
        """The trace as Jaeger's HTTP API gives it."""
        (trace,) = self.get(f"/api/traces/{trace_id}")["data"]
        return trace

    def stop(self) -> None:
        """Asks the server to stop as a service manager does, and checks that it ends well."""
        self._process.send_signal(signal.SIGTERM)
        try:
            exit_code = self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            exit_code = "still running"
        assert exit_code == 0, f"the server did not end well after SIGTERM. It printed:\n{self._printed.read_text()}"
        shutil.rmtree(self._directory)

    def _await_listeners(self, port_file: Path) -> dict[str, str]:
        def read() -> dict[str, str]:
            if self._process.poll() is not None:
                raise RuntimeError(
                    f"the server ended with exit code {self._process.returncode} before it listened. "
                    f"It printed:\n{self._printed.read_text()}"
                )
            return json.loads(port_file.read_text())

        addresses = eventually(read, START_TIMEOUT_SECONDS)
        missing = [name for name in LISTENERS if not addresses.get(name)]
        assert not missing, f"the port file names no {missing}"
        return addresses


def eventually(attempt: Callable[[], T], timeout_seconds: float = READ_TIMEOUT_SECONDS) -> T:
    """Repeats `attempt` until it finds what it looks for; after the deadline its last error is raised."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return attempt()
        except (AssertionError, OSError, ValueError):
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_INTERVAL_SECONDS)


def environment_without_settings() -> dict[str, str]:
    """The server takes settings from variables that begin so; those of whoever runs the tests are not for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BACKTRAIL_")}


def server_binary() -> str:
    binary = os.environ.get("BACKTRAIL_BIN")
    if not binary:
        raise RuntimeError(
            "BACKTRAIL_BIN is not set: it names the backtrail binary to test, "
            "for example target/debug/backtrail after `cargo build`"
        )
    if not Path(binary).exists():
        raise RuntimeError(f"BACKTRAIL_BIN names {binary}, which is not there: run `cargo build` first")
    return str(Path(binary).resolve())
