"""What is shown of the reverse proxy before it was looked at."""

from homelab_agent.areas.proxy.board import Board
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.header_secrets import HeaderSecrets
from homelab_agent.areas.proxy.kept import KeptSetup, ProxyRecord
from homelab_agent.areas.proxy.models import ProxyMode
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import proxy_record
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock


async def test_who_changes_one_setting_of_a_caddy_can_see_all_the_others(
    store: Store, clock: HandClock, resources: Resources
) -> None:
    book, vault = (
        Book(Records(store, proxy_record, ProxyRecord), clock),
        Vault(bytes(32), SecretFilter()),
    )
    board = Board(book, Chooser(book, Passwords(vault), HeaderSecrets(vault)), resources, clock)
    await book.load()
    set_up = {
        "admin": "http://192.0.2.9:2019",
        "address": "caddy.lan",
        "http_port": 8080,
        "https_port": 8443,
        "image": "caddy:2.11",
    }
    await book.keep_setup(KeptSetup.model_validate({"mode": ProxyMode.OWN, **set_up}))
    assert board.status().model_dump(include=set(set_up)) == set_up
