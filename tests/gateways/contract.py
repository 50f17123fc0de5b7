"""What every gateway keeps, whatever it talks to: inherit `GatewayContract`, give it a gateway and the peer behind it.

A peer is a real counterpart, a server or a modem, that takes texts and misbehaves on demand. The gateway that the fixture
gives is started, reaches its peer, and has time-outs short enough to be waited for.
"""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Protocol

import pytest

from textbackd.core.phone import E164
from textbackd.gateways.base import Accepted, Fate, Gateway, Health, OutboundText, SendFailed

TEXT = OutboundText(
    id="text-1",
    to=E164("+13035550126"),
    sender=E164("+12015550100"),
    body="Sorry we missed your call",
    valid_until=None,
)
# More than one radio text, in an alphabet that needs two octets for a letter and four for a face.
LONG_BODY = "Grüß Gott – “we’ll” call you back 😀 " * 5


class Peer(Protocol):
    """The other side of a gateway, made to behave for the next text or from now on."""

    async def texts(self) -> list[tuple[str, str]]:
        """Return number and body of every text that went out, long ones whole, in their order."""

    async def refuse_the_number(self) -> None:
        """Refuse the next text, as one to a number that does not exist."""

    async def be_unfit(self) -> None:
        """Refuse the next text for a reason that only a person can mend: no credit, wrong credentials."""

    async def swallow(self) -> None:
        """Take the next text and never answer."""

    async def vanish(self) -> None:
        """Be out of reach from now on."""


class GatewayContract:
    """Subclass it as Test…, with both fixtures."""

    @pytest.fixture
    @abstractmethod
    def peer(self) -> AsyncIterator[Peer]:
        raise NotImplementedError

    @pytest.fixture
    @abstractmethod
    def gateway(self, peer: Peer) -> AsyncIterator[Gateway]:
        raise NotImplementedError

    async def test_an_accepted_text_has_a_reference_and_is_out_once(self, gateway: Gateway, peer: Peer) -> None:
        accepted = await gateway.send(TEXT)
        assert isinstance(accepted, Accepted)
        assert accepted.reference
        assert accepted.parts == 1
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_a_long_text_in_any_alphabet_arrives_as_it_is(self, gateway: Gateway, peer: Peer) -> None:
        accepted = await gateway.send(replace(TEXT, body=LONG_BODY))
        assert accepted.reference
        assert await peer.texts() == [(TEXT.to, LONG_BODY)]

    async def test_a_number_that_does_not_exist_is_refused(self, gateway: Gateway, peer: Peer) -> None:
        await peer.refuse_the_number()
        assert (await failure_of(gateway)).fate is Fate.REFUSED
        assert await peer.texts() == []

    async def test_what_a_person_must_mend_is_said_so_and_nothing_is_out(self, gateway: Gateway, peer: Peer) -> None:
        await peer.be_unfit()
        assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT
        assert await peer.texts() == []

    async def test_no_answer_after_handing_over_is_unknown_and_not_repeated(self, gateway: Gateway, peer: Peer) -> None:
        await peer.swallow()
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_nothing_within_reach_is_not_sent(self, gateway: Gateway, peer: Peer) -> None:
        await peer.vanish()
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        assert await peer.texts() == []

    async def test_a_failure_is_one_sentence_without_the_text(self, gateway: Gateway, peer: Peer) -> None:
        await peer.refuse_the_number()
        sentence = str(await failure_of(gateway))
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert TEXT.body not in sentence

    async def test_two_texts_at_once_both_arrive_whole(self, gateway: Gateway, peer: Peer) -> None:
        first, second = replace(TEXT, id="text-1", body=LONG_BODY), replace(TEXT, id="text-2", to=E164("+13035550127"))
        accepted = await asyncio.gather(gateway.send(first), gateway.send(second))
        assert len({one.reference for one in accepted}) == 2
        assert sorted(await peer.texts()) == sorted([(first.to, first.body), (second.to, second.body)])

    async def test_a_text_after_a_refused_one_goes_out(self, gateway: Gateway, peer: Peer) -> None:
        await peer.refuse_the_number()
        await failure_of(gateway)
        assert (await gateway.send(replace(TEXT, id="text-2"))).reference
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_health_is_up_once_a_text_was_accepted(self, gateway: Gateway) -> None:
        assert isinstance(gateway.health(), Health)
        await gateway.send(TEXT)
        assert gateway.health() is Health.UP

    async def test_closing_twice_is_harmless_and_a_closed_gateway_sends_nothing(
        self, gateway: Gateway, peer: Peer
    ) -> None:
        await gateway.close()
        await gateway.close()
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        assert await peer.texts() == []


async def failure_of(gateway: Gateway, text: OutboundText = TEXT) -> SendFailed:
    """Return how `text` fails; a text that is accepted fails the test."""
    with pytest.raises(SendFailed) as caught:
        await gateway.send(text)
    return caught.value
