"""A check from the command line leaves nobody a key, also where it was killed."""

from homelab_agent.check_command import revoke_left_over
from homelab_agent.platform.commands import Scope
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.tokens import Tokens
from tests.clock import HandClock


async def test_the_token_of_a_check_that_was_killed_goes_with_the_next_one(store: Store) -> None:
    clock = HandClock()
    tokens = Tokens(store, clock)
    await tokens.create("homelab-agent check 41", Scope.READ)
    await tokens.create("homelab-agent checked by Ada", Scope.READ)
    clock.advance(hours=1)
    await tokens.create("homelab-agent check 42", Scope.READ)

    await revoke_left_over(tokens, clock())

    names = [token.name for token in await tokens.list()]
    assert names == ["homelab-agent check 42", "homelab-agent checked by Ada"]
