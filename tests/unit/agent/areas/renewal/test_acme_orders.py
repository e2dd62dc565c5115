"""What an order says to an authority, which here is a function with a script."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from multidict import CIMultiDict

from homelab_agent.areas.renewal.acme_client import AcmeClient
from homelab_agent.areas.renewal.authority import Account, AuthorityRefused, Status
from homelab_agent.areas.renewal.courier import Answer

CA = "https://ca.lab.example"
DIRECTORY = {"newNonce": f"{CA}/nonce", "newAccount": f"{CA}/account", "newOrder": f"{CA}/order"}


class Script:
    """An authority that knows one account, and refuses orders as it is told."""

    def __init__(
        self,
        *,
        refuses_replacing: bool = False,
        refuses_all: bool = False,
        problem: str = "alreadyReplaced",
    ) -> None:
        self.orders: list[dict[str, Any]] = []
        self._refuses = {True: refuses_replacing or refuses_all, False: refuses_all}
        self._problem = problem
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = Account(directory=f"{CA}/dir", key_pem=pem, url=f"{CA}/account/1")
        self.client = AcmeClient(self._answer, account, DIRECTORY)

    def _answer(
        self, _method: str, url: str, _headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        headers = CIMultiDict({"Replay-Nonce": "bm9uY2U", "Location": f"{CA}/order/1"})
        status, answer = 200, b"{}"
        if url == DIRECTORY["newOrder"] and body is not None:
            payload = json.loads(body)["payload"]
            order = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            self.orders.append(order)
            status, answer = self._order("replaces" in order)
        return Answer(status, headers, answer)

    def _order(self, replaces: bool) -> tuple[int, bytes]:  # noqa: FBT001 - it is what is looked up
        if self._refuses[replaces]:
            problem = {"type": f"urn:ietf:params:acme:error:{self._problem}", "detail": "No."}
            return 429 if self._problem == "rateLimited" else 409, json.dumps(problem).encode()
        return 201, json.dumps({"status": "ready", "authorizations": []}).encode()


def test_an_authority_that_sees_no_renewal_in_an_order_gets_a_plain_one() -> None:
    script = Script(refuses_replacing=True)
    order = script.client.new_order(["www.lab.example"], "aki.serial")
    assert (order.status, order.url) == (Status.READY, f"{CA}/order/1")
    assert [each.get("replaces") for each in script.orders] == ["aki.serial", None]


def test_a_first_order_replaces_nothing_and_is_asked_for_once() -> None:
    script = Script(refuses_all=True)
    with pytest.raises(AuthorityRefused):
        script.client.new_order(["www.lab.example"])
    (order,) = script.orders
    assert "replaces" not in order


def test_who_is_told_to_wait_does_not_ask_again_at_once() -> None:
    script = Script(refuses_all=True, problem="rateLimited")
    with pytest.raises(AuthorityRefused, match="No"):
        script.client.new_order(["www.lab.example"], "aki.serial")
    assert len(script.orders) == 1
