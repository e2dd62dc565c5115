from homelab_agent.areas.proxy.board import NO_FACTS, Board
from homelab_agent.areas.proxy.book import Book
from homelab_agent.areas.proxy.chooser import Chooser
from homelab_agent.areas.proxy.demo import DemoCaddy, invent_routes
from homelab_agent.areas.proxy.editor import Editor
from homelab_agent.areas.proxy.header_secrets import HeaderSecrets
from homelab_agent.areas.proxy.kept import ProxyRecord
from homelab_agent.areas.proxy.models import RouteState
from homelab_agent.areas.proxy.passwords import Passwords
from homelab_agent.areas.proxy.placing import parts_of, with_parts
from homelab_agent.platform.resources import Resources
from homelab_agent.platform.secrets import SecretFilter
from homelab_agent.platform.store.database import Store
from homelab_agent.platform.store.records import Records
from homelab_agent.platform.store.tables import proxy_record
from homelab_agent.platform.vault import Vault
from tests.clock import HandClock


async def test_the_demo_has_routes_and_takes_changes(
    store: Store, clock: HandClock, resources: Resources
) -> None:
    book = Book(Records(store, proxy_record, ProxyRecord), clock)
    await invent_routes(book, clock)
    vault = Vault(bytes(32), SecretFilter())
    chooser = Chooser(book, Passwords(vault), HeaderSecrets(vault))
    board, editor = Board(book, chooser, resources, clock), Editor(book, DemoCaddy)
    board.show(await editor.look(), NO_FACTS)
    assert {each.state for each in board.routes()} == {RouteState.MISSING}
    for host, route in book.routes.items():
        await editor.change(
            lambda world, host=host, route=route: with_parts(
                world, now := parts_of(world, host), chooser.choose(world, now, route).parts
            )
        )
    board.show(await editor.look(), NO_FACTS)
    assert {each.state for each in board.routes()} == {RouteState.OK}
    assert [each.hosts for each in board.foreign()] == [("blog.example.org",)]


async def test_what_the_agent_keeps_is_there_after_a_restart(
    store: Store, clock: HandClock
) -> None:
    records = Records(store, proxy_record, ProxyRecord)
    book = Book(records, clock)
    await invent_routes(book, clock)
    await book.keep_pending("gone.example.org", pending=True)
    again = Book(records, clock)
    await again.load()
    assert (again.setup, again.routes) == (book.setup, book.routes)
    assert again.pending == {"gone.example.org"}
    await again.forget_all()
    last = Book(records, clock)
    await last.load()
    assert (last.routes, last.pending, last.setup) == ({}, set(), book.setup)
