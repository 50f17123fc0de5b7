"""The staff's side: who is told what, when and how, and what they write back.   flow/staff"""

from collections.abc import Callable, Coroutine, Iterator, Mapping

from textbackd.core.phone import E164
from textbackd.daemon.common import Common
from textbackd.flow.staff.alarms import Alarms
from textbackd.flow.staff.at_once import AtOnce
from textbackd.flow.staff.desk_phones import DeskPhonesIn
from textbackd.flow.staff.duty import Duty
from textbackd.flow.staff.escalation import Escalation
from textbackd.flow.staff.handoff import Handoff
from textbackd.flow.staff.notices_out import Teller
from textbackd.flow.staff.orders import StaffOrders
from textbackd.flow.staff.tells import StaffTells
from textbackd.flow.staff.texts import StaffTexts
from textbackd.handoff.base import Channel
from textbackd.handoff.desk_phone import DeskPhones
from textbackd.handoff.hook import Hooks
from textbackd.handoff.mail import Mail
from textbackd.handoff.services import Services
from textbackd.pbx.client import AmiClient
from textbackd.store.notices import Way


class Telling:
    """Everything that tells staff and other programs."""

    def __init__(
        self,
        common: Common,
        *,
        clients: Mapping[str, AmiClient],
        on_the_phone: Callable[[], set[E164]],
        wake: Callable[[], None],
    ) -> None:
        """Raises TextbackdError for a service that apprise does not know."""
        self._common, self._clients, self._wake = common, clients, wake
        settings, store, clock = common.settings, common.store, common.clock
        orders = StaffOrders(settings, store=store, desk=common.desk)
        self.texts = StaffTexts(settings, store=store, orders=orders, clock=clock)
        # It subscribes to the clients' events before they log in.
        self._phones = DeskPhonesIn(settings, managers=clients, texts=self.texts, clock=clock, wake=self.wake)
        duty = Duty(settings, clients)
        self.handoff = Handoff(settings, store=store, clock=clock, bell=common.bell, duty=duty, wake=self.wake)
        self.tells = StaffTells(settings, handoff=self.handoff, duty=duty)
        self._alarms = Alarms(settings, store=store, clock=clock, tells=self.tells, wake=self.wake)
        self._escalation = Escalation(
            settings,
            store=store,
            clock=clock,
            bell=common.bell,
            tells=self.tells,
            ring_back=common.ring_back,
            on_the_phone=on_the_phone,
            wake=self.wake,
        )
        channels = dict(self._channels())
        self.tellers = [Teller(way, channel, store=store, clock=clock) for way, channel in channels.items()]
        self.at_once = AtOnce(self.handoff.ways, channels, clock)

    def _channels(self) -> Iterator[tuple[Way, Channel]]:
        """Yield the channels that the configuration has a use for."""
        settings, staff = self._common.settings, self._common.settings.staff
        if settings.email is not None:
            yield Way.EMAIL, Mail(settings.email)
        if any(person.notify for person in staff.values()):
            yield Way.SERVICE, Services({key: person.notify for key, person in staff.items()})
        if any(person.sip for person in staff.values()):
            yield Way.SIP, DeskPhones(self._clients)
        if settings.hooks_out:
            yield Way.HOOK, Hooks(settings.hooks_out, self._common.clock)

    def wake(self) -> None:
        """Have what is to be told looked at now."""
        self._wake()
        for teller in self.tellers:
            teller.wake()

    def take_over(self, before: "Telling") -> None:
        """Go on with what another has heard and not stored yet, and with the phones that ring."""
        self._phones.take_over(before._phones)
        self._escalation.take_over(before._escalation)

    def chores(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what has to run beside calls and texts, but for the tellers: these finish what they are telling."""
        yield self.handoff.listen()
        yield self.handoff.run()
        yield self._phones.run()
        yield self._escalation.run()
        yield self._alarms.run()
