"""Certificates of the invented homelab: one is fine, one fails, and the button really does it."""

import pytest

from tests.harness.agent import Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_one_certificate_is_fine_and_one_says_why_it_is_not(agent: Agent) -> None:
    token = await agent.create_token("renewal-reads", scope="read")
    _, answer = await agent.ask("GET", "/managed-certificates", token=token)
    shown = {each["state"]: each for each in answer["certificates"]}
    assert set(shown) == {"valid", "failing"}
    failure = shown["failing"]["failure"]
    assert failure["authority_says"] in failure["message"]
    assert failure["what_to_do"]
    assert failure["next_try_at"]


async def test_renewing_the_failing_one_makes_it_valid(agent: Agent) -> None:
    token = await agent.create_token("renewal-operates")
    path = "/managed-certificates/mail.home.example.org"
    status, answer = await agent.ask("POST", f"{path}/renew", {"wait_s": 60}, token=token)
    assert status == 200, answer
    _, found = await agent.ask("GET", path, token=token)
    assert (found["state"], found["failure"]) == ("valid", None)
