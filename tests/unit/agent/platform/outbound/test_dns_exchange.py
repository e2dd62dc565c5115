"""One question to one name server: its answer is taken, and nothing else that comes."""

import asyncio
import socket

import dns.message
import dns.rcode
import pytest

from homelab_agent.platform.outbound.dns_exchange import Server, exchange
from tests.fakes.services.name_server import NameServer, knows, name_server, truncated

RECORD = "nas.example.org. 60 IN A 192.0.2.10"
OTHERS = "evil.example.org. 60 IN A 192.0.2.66"


def at(server: NameServer) -> Server:
    return ("127.0.0.1", server.port)


async def test_what_is_no_answer_to_this_question_is_passed_over() -> None:
    query = dns.message.make_query("nas.example.org", "A")
    wrong_id = knows(OTHERS)
    right = knows(RECORD)

    def answers(asked: bytes) -> bytes:
        """Say all kinds of things first, each to the same question."""
        other_question = dns.message.make_query("evil.example.org", "A", id=query.id)
        for noise in (
            b"",
            b"\0" * 5,
            asked,  # no answer at all, but the question again
            bytes([asked[0] ^ 1]) + (wrong_id(asked) or b"")[1:],
            asked[:2] + b"\x84" + bytes(9),  # no trouble, and to no question
            dns.message.make_response(other_question).to_wire(),
        ):
            server.transports[0].sendto(noise, server.asked_from[-1])
        return right(asked) or b""

    async with name_server(answers) as server:
        answer = await exchange(query, at(server))
    assert [each.to_text() for each in answer.answer] == ["nas.example.org. 60 IN A 192.0.2.10"]


async def test_whoever_floods_us_keeps_nobody_else_waiting() -> None:
    junk, right, turns = 100, knows(RECORD), 0

    def floods(asked: bytes) -> bytes | None:
        nonlocal turns
        for _ in range(junk):
            server.transports[0].sendto(b"junk", server.asked_from[-1])
        turns = 0
        return right(asked)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with name_server(floods) as server:
        busy = asyncio.create_task(others())
        await exchange(dns.message.make_query("nas.example.org", "A"), at(server))
        busy.cancel()
    assert turns >= junk


async def test_who_did_not_understand_may_leave_the_question_out() -> None:
    def confused(asked: bytes) -> bytes:
        return asked[:2] + bytes([0x80, dns.rcode.FORMERR]) + bytes(8)

    async with name_server(confused) as server:
        answer = await exchange(dns.message.make_query("nas.example.org", "A"), at(server))
    assert answer.rcode() == dns.rcode.FORMERR


async def test_a_long_answer_comes_over_tcp_and_a_short_one_is_an_end_of_file() -> None:
    query = dns.message.make_query("nas.example.org", "A")
    async with name_server(truncated, knows(RECORD)) as server:
        assert (await exchange(query, at(server))).answer
    async with name_server(truncated, lambda _: b"") as server:
        with pytest.raises(EOFError):
            await exchange(query, at(server))


async def test_a_closed_door_is_heard_at_once() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()
    with pytest.raises(ConnectionRefusedError):
        await exchange(dns.message.make_query("nas.example.org", "A"), nobody)
