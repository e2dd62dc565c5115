"""Makes a running Home Assistant ready: a user, and the integration connected to the agent.

usage: homeassistant_setup.py HA_URL HA_DIR AGENT_PORT
with RUN_USER, RUN_PASSWORD and RUN_TOKEN (the agent's) in the environment.
Safe to repeat: what is there is left as it is; the agent's address and token are corrected.
"""

import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

START_SECONDS = 90
REQUEST_SECONDS = 60


class SetupError(Exception):
    """Home Assistant did not do what it was asked; the message is for a person."""


class HomeAssistant:
    """The few requests that are needed, as the front end makes them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client_id = f"{url}/"
        self.token = ""

    def request(self, method: str, path: str, body: Any = None, *, form: bool = False) -> Any:
        """Send a request and return the decoded answer; None for a page that does not exist."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if form:
            data = urllib.parse.urlencode(body).encode()
        elif body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(  # noqa: S310  # always the http address given to us
            self.url + path, data, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:  # noqa: PLR2004
                return None
            text = error.read().decode(errors="replace")[:300]
            raise SetupError(f"{method} {path}: {error.code} {text}") from error

    def wait_until_up(self) -> None:
        """Wait until the front end is served; log-in and first-start pages come before it."""
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                if self.request("GET", "/manifest.json") is not None:
                    return
            except urllib.error.URLError, SetupError, ConnectionError, TimeoutError:
                pass
            if time.monotonic() > until:
                raise SetupError(f"Home Assistant did not answer within {START_SECONDS} seconds")
            time.sleep(0.2)

    def take_token(self, code: str) -> None:
        """Turn a login's code into a token for the following requests."""
        fields = {"grant_type": "authorization_code", "code": code, "client_id": self.client_id}
        self.token = self.request("POST", "/auth/token", fields, form=True)["access_token"]

    def create_user(self, user: str, password: str) -> bool:
        """Create the owner; False when there is one already."""
        steps = self.request("GET", "/api/onboarding")
        if steps is None or any(step["step"] == "user" and step["done"] for step in steps):
            return False
        answer = self.request(
            "POST",
            "/api/onboarding/users",
            {
                "client_id": self.client_id,
                "name": user.capitalize(),
                "username": user,
                "password": password,
                "language": "en",
            },
        )
        self.take_token(answer["auth_code"])
        return True

    def log_in(self, user: str, password: str) -> None:
        """Log in as the browser does."""
        flow = self.request(
            "POST",
            "/auth/login_flow",
            {
                "client_id": self.client_id,
                "redirect_uri": self.client_id,
                "handler": ["homeassistant", None],
            },
        )
        answer = self.request(
            "POST",
            f"/auth/login_flow/{flow['flow_id']}",
            {"client_id": self.client_id, "username": user, "password": password},
        )
        if answer.get("type") != "create_entry":
            raise SetupError(f"Home Assistant refused the login of {user}: {answer.get('errors')}")
        self.take_token(answer["result"])

    def entries(self) -> list[dict[str, Any]]:
        """List the integration's entries."""
        return self.request("GET", "/api/config/config_entries/entry?domain=homelab") or []

    def run_flow(self, start: dict[str, Any], answers: dict[str, Any]) -> None:
        """Go through the integration's set-up form with the answers given."""
        step = self.request("POST", "/api/config/config_entries/flow", start)
        if step is None:
            raise SetupError("Home Assistant does not know the integration (see .run/ha.log)")
        while step["type"] == "form":
            if step.get("errors"):
                raise SetupError(f"the integration did not accept the agent: {step['errors']}")
            asked = [field["name"] for field in step.get("data_schema") or []]
            given = {name: answers[name] for name in asked if name in answers}
            step = self.request("POST", f"/api/config/config_entries/flow/{step['flow_id']}", given)
        if step["type"] != "create_entry" and step.get("reason") != "reconfigure_successful":
            raise SetupError(f"the integration was not set up: {step.get('reason', step['type'])}")

    def wait_until_loaded(self) -> None:
        """Wait until the integration runs, or say why it does not."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            states = {entry["state"]: entry.get("reason") for entry in self.entries()}
            if set(states) == {"loaded"}:
                return
            for state in ("setup_error", "migration_error"):
                if state in states:
                    raise SetupError(f"the integration did not start: {states[state]}")
            time.sleep(0.1)
        raise SetupError(f"the integration did not start within {START_SECONDS} seconds: {states}")


def connect(home: HomeAssistant, directory: Path, port: int, token: str) -> None:
    """Add the integration, or correct the agent's address and token in it."""
    answers = {"host": "127.0.0.1", "port": port, "token": token, "ssl": False}
    signature = hashlib.sha256(json.dumps(answers).encode()).hexdigest()
    remembered = directory / ".homelab-agent"
    entries = home.entries()
    if entries and remembered.exists() and remembered.read_text() == signature:
        return
    start: dict[str, Any] = {"handler": "homelab"}
    if entries:
        start["entry_id"] = entries[0]["entry_id"]
    home.run_flow(start, answers)
    remembered.write_text(signature)


def main() -> int:
    """Do all of it; the only output is about what went wrong."""
    url, directory, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    user, password = os.environ["RUN_USER"], os.environ["RUN_PASSWORD"]
    home = HomeAssistant(url)
    try:
        home.wait_until_up()
        if not home.create_user(user, password):
            home.log_in(user, password)
        connect(home, directory, port, os.environ["RUN_TOKEN"])
        home.wait_until_loaded()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
