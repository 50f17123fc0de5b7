"""What every gateway keeps, whatever it talks to: inherit `GatewayContract`, give it a gateway and the peer behind it.

A peer is a real counterpart, a server or a modem, that takes texts and misbehaves on demand. The gateway that the fixture
gives is started, reaches its peer, and has time-outs short enough to be waited for. What a kind of peer cannot do by nature (a
modem's network knows no opt-outs) stands in `cannot`, each with the reason; those tests are skipped and say it.
"""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar, TypeVar

import pytest

from textbackd.core.phone import E164
from textbackd.gateways.base import (
    Accepted,
    Arrival,
    DeliveryReport,
    Fate,
    Gateway,
    Health,
    InboundText,
    IncomingCall,
    OutboundText,
    SendFailed,
)

TEXT = OutboundText(
    id="text-1",
    to=E164("+13035550126"),
    sender=E164("+12015550100"),
    body="Sorry we missed your call",
    valid_until=None,
)
OTHER = E164("+13035550127")
# More than one radio text, in an alphabet that needs two octets for a letter and four for a face.
LONG_BODY = "Grüß Gott – “we’ll” call you back 😀 " * 5
ANSWER = "Yes please!\nTomorrow at 8? – Zoë 👍"
SOON = 20.0  # seconds, for what happens in milliseconds on a machine that is not busy


Kind = TypeVar("Kind", InboundText, DeliveryReport, IncomingCall)


class Trait(StrEnum):
    """What not every peer can do."""

    REFUSE = "refuse a number"
    UNFIT = "be unfit"
    THROTTLE = "throttle"
    OPT_OUT = "opt out"
    GARBLE = "garble"
    SWALLOW = "swallow"
    VANISH = "vanish"
    DELIVER = "deliver a text"
    REPORT = "report"
    FAILURE_REPORT = "report a failure"
    REFERENCE = "give a reference"


class Peer:
    """The other side of a gateway, made to behave for the next text or from now on. What stands in `cannot` need not be there."""

    async def texts(self) -> list[tuple[str, str]]:
        """Return number and body of every text that went out, long ones whole, in their order."""
        raise NotImplementedError

    async def refuse_the_number(self) -> None:
        """Refuse the next text, as one to a number that does not exist."""
        raise NotImplementedError

    async def be_unfit(self) -> None:
        """Refuse the next text for a reason that only a person can mend: no credit, wrong credentials."""
        raise NotImplementedError

    async def throttle(self) -> None:
        """Refuse the next text because there were too many, or because of a passing fault."""
        raise NotImplementedError

    async def opt_out(self) -> None:
        """Refuse the next text because its number has told the gateway STOP."""
        raise NotImplementedError

    async def garble(self) -> None:
        """Take the next text and answer nonsense."""
        raise NotImplementedError

    async def swallow(self) -> None:
        """Take the next text and never answer."""
        raise NotImplementedError

    async def vanish(self) -> None:
        """Be out of reach from now on."""
        raise NotImplementedError

    async def deliver(self, sender: str, body: str, *, again: bool = False) -> None:
        """Let a text come in; `again` the very same one once more, as vendors do that missed our answer."""
        raise NotImplementedError

    async def report(self, accepted: Accepted, *, delivered: bool) -> None:
        """Tell what became of an accepted text."""
        raise NotImplementedError


class GatewayContract:
    """Subclass it as Test…, with both fixtures."""

    cannot: ClassVar[Mapping[Trait, str]] = {}  # what this peer cannot do, and why
    secrets: ClassVar[tuple[str, ...]] = ()  # credentials of the fixture's gateway, which no sentence may show

    @pytest.fixture
    @abstractmethod
    def peer(self) -> AsyncIterator[Peer]:
        raise NotImplementedError

    @pytest.fixture
    @abstractmethod
    def gateway(self, peer: Peer) -> AsyncIterator[Gateway]:
        raise NotImplementedError

    def needs(self, *traits: Trait) -> None:
        """Skip a test whose subject this peer does not have."""
        for trait in traits:
            if trait in self.cannot:
                pytest.skip(f"cannot {trait}: {self.cannot[trait]}")

    # ---- sending

    async def test_an_accepted_text_has_a_reference_and_is_out_once(self, gateway: Gateway, peer: Peer) -> None:
        accepted = await gateway.send(TEXT)
        assert isinstance(accepted, Accepted)
        assert accepted.reference or Trait.REFERENCE in self.cannot
        assert accepted.parts >= 1
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_a_long_text_in_any_alphabet_arrives_as_it_is(self, gateway: Gateway, peer: Peer) -> None:
        await gateway.send(replace(TEXT, body=LONG_BODY))
        assert await peer.texts() == [(TEXT.to, LONG_BODY)]

    async def test_a_number_that_does_not_exist_is_refused(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.REFUSE)
        await peer.refuse_the_number()
        assert (await failure_of(gateway)).fate is Fate.REFUSED
        assert await peer.texts() == []

    async def test_a_number_that_told_the_gateway_stop_is_opted_out(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.OPT_OUT)
        await peer.opt_out()
        assert (await failure_of(gateway)).fate is Fate.OPTED_OUT
        assert await peer.texts() == []

    async def test_what_a_person_must_mend_is_said_so_and_nothing_is_out(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.UNFIT)
        await peer.be_unfit()
        assert (await failure_of(gateway)).fate is Fate.GATEWAY_UNFIT
        assert await peer.texts() == []

    async def test_too_many_texts_are_not_sent_and_may_be_tried_again(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.THROTTLE)
        await peer.throttle()
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        assert await peer.texts() == []
        await gateway.send(TEXT)
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_no_answer_after_handing_over_is_unknown_and_not_repeated(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.SWALLOW)
        await peer.swallow()
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_an_answer_that_cannot_be_read_is_unknown(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.GARBLE)
        await peer.garble()
        assert (await failure_of(gateway)).fate is Fate.UNKNOWN
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_nothing_within_reach_is_not_sent(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.VANISH)
        await peer.vanish()
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        assert await peer.texts() == []

    async def test_two_texts_at_once_both_arrive_whole(self, gateway: Gateway, peer: Peer) -> None:
        first, second = replace(TEXT, id="text-1", body=LONG_BODY), replace(TEXT, id="text-2", to=OTHER)
        accepted = await asyncio.gather(gateway.send(first), gateway.send(second))
        assert len({one.reference for one in accepted}) == 2 or Trait.REFERENCE in self.cannot
        assert sorted(await peer.texts()) == sorted([(first.to, first.body), (second.to, second.body)])

    async def test_a_text_after_a_refused_one_goes_out(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.REFUSE)
        await peer.refuse_the_number()
        await failure_of(gateway)
        await gateway.send(replace(TEXT, id="text-2"))
        assert await peer.texts() == [(TEXT.to, TEXT.body)]

    async def test_a_cancelled_send_ends_at_once_and_the_next_goes_out(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.SWALLOW)
        await peer.swallow()
        sending = asyncio.create_task(gateway.send(TEXT))
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(sending, SOON)
        # A modem still waits for its answer; until then it may refuse, but must not mix the two up.
        with suppress(SendFailed):
            await gateway.send(replace(TEXT, id="text-2", to=OTHER))
        assert {to for to, _ in await peer.texts()} <= {TEXT.to, OTHER}

    # ---- sentences

    @pytest.mark.parametrize("how", ["refuse_the_number", "be_unfit", "throttle", "opt_out", "garble"])
    async def test_a_failure_is_one_sentence_without_the_text_or_credentials(
        self, gateway: Gateway, peer: Peer, how: str
    ) -> None:
        self.needs(_TRAIT_OF[how])
        await getattr(peer, how)()
        sentence = str(await failure_of(gateway))
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert TEXT.body not in sentence
        assert not [secret for secret in self.secrets if secret in sentence]

    # ---- health and end

    async def test_health_is_up_once_a_text_was_accepted(self, gateway: Gateway) -> None:
        assert isinstance(gateway.health(), Health)
        await gateway.send(TEXT)
        assert gateway.health() is Health.UP

    async def test_a_gateway_that_a_person_must_mend_is_paused_until_a_text_is_accepted(
        self, gateway: Gateway, peer: Peer
    ) -> None:
        self.needs(Trait.UNFIT, Trait.REFUSE)
        await peer.be_unfit()
        await failure_of(gateway)
        assert gateway.health() in (Health.PAUSED, Health.DOWN)

    async def test_a_refused_number_says_nothing_against_the_gateway(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.REFUSE)
        await peer.refuse_the_number()
        await failure_of(gateway)
        assert gateway.health() in (Health.UP, Health.UNKNOWN)

    async def test_closing_twice_is_harmless_and_a_closed_gateway_sends_nothing(
        self, gateway: Gateway, peer: Peer
    ) -> None:
        await gateway.close()
        await gateway.close()
        assert (await failure_of(gateway)).fate is Fate.NOT_SENT
        assert await peer.texts() == []

    # ---- inwards

    async def test_a_text_that_comes_in_is_told_as_it_was_written(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.DELIVER)
        await peer.deliver(TEXT.to, ANSWER)
        text = await next_of(gateway, InboundText)
        assert (text.sender, text.body) == (TEXT.to, ANSWER)
        assert text.id
        assert text.received_at.tzinfo is not None

    async def test_a_text_that_comes_twice_is_recognised_by_its_id(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.DELIVER)
        await peer.deliver(TEXT.to, ANSWER)
        first = await next_of(gateway, InboundText)
        await peer.deliver(OTHER, ANSWER)
        second = await next_of(gateway, InboundText, but=first.id)
        assert second.sender == OTHER
        assert first.id != second.id
        await peer.deliver(TEXT.to, ANSWER, again=True)
        with suppress(TimeoutError):  # a peer that keeps account does not tell it again
            async with asyncio.timeout(1):
                again = await next_of(gateway, InboundText, but=second.id)
            assert again.id == first.id

    async def test_a_delivery_report_names_the_text_that_it_is_about(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.REPORT)
        accepted = await gateway.send(TEXT)
        await peer.report(accepted, delivered=True)
        report = await next_of(gateway, DeliveryReport)
        assert report.reference in (accepted.reference or "").split(",") or report.id == TEXT.id
        assert (report.delivered, report.final) == (True, True)
        assert report.detail

    async def test_a_text_that_was_not_delivered_is_reported_as_final(self, gateway: Gateway, peer: Peer) -> None:
        self.needs(Trait.REPORT, Trait.FAILURE_REPORT)
        accepted = await gateway.send(TEXT)
        await peer.report(accepted, delivered=False)
        report = await next_of(gateway, DeliveryReport)
        assert (report.delivered, report.final) == (False, True)
        assert report.detail


_TRAIT_OF = {
    "refuse_the_number": Trait.REFUSE,
    "be_unfit": Trait.UNFIT,
    "throttle": Trait.THROTTLE,
    "opt_out": Trait.OPT_OUT,
    "garble": Trait.GARBLE,
}


async def failure_of(gateway: Gateway, text: OutboundText = TEXT) -> SendFailed:
    """Return how `text` fails; a text that is accepted fails the test."""
    with pytest.raises(SendFailed) as caught:
        await gateway.send(text)
    return caught.value


async def next_of(gateway: Gateway, kind: type[Kind], *, but: str | None = None) -> Kind:
    """Return the next final arrival of a kind, not the one with the id `but`, and acknowledge all that came until then."""
    arrivals = aiter(gateway.incoming())
    async with asyncio.timeout(SOON):
        async for arrival in arrivals:
            is_wanted = not (isinstance(arrival, DeliveryReport) and not arrival.final)
            if is_wanted and isinstance(arrival, kind) and (but is None or arrival.id != but):
                await _ask_for_the_next(arrivals)
                return arrival
    raise AssertionError(f"no {kind.__name__} came")


async def _ask_for_the_next(arrivals: AsyncIterator[Arrival]) -> None:
    """Acknowledge the last arrival, which asking for another one does."""
    asking = asyncio.ensure_future(anext(arrivals))
    await asyncio.sleep(0.05)
    asking.cancel()
    with suppress(asyncio.CancelledError, StopAsyncIteration):
        await asking
