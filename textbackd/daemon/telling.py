"""The staff's side: who is told what, when, and by which channels.   flow/handoff.py, flow/notices_out.py, flow/escalation.py"""

from collections.abc import Callable, Coroutine, Iterator, Mapping

from textbackd.core.phone import E164
from textbackd.daemon.common import Common
from textbackd.flow.duty import Duty
from textbackd.flow.escalation import Escalation
from textbackd.flow.handoff import Handoff
from textbackd.flow.tells import StaffTells
from textbackd.pbx.client import AmiClient


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
        duty = Duty(common.settings, clients)
        self.handoff = Handoff(
            common.settings, store=common.store, clock=common.clock, bell=common.bell, duty=duty, wake=wake
        )
        self._escalation = Escalation(
            common.settings,
            store=common.store,
            clock=common.clock,
            bell=common.bell,
            tells=StaffTells(common.settings, handoff=self.handoff, duty=duty),
            ring_back=common.ring_back,
            on_the_phone=on_the_phone,
            wake=wake,
        )

    def chores(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what has to run beside calls and texts."""
        yield self.handoff.listen()
        yield self.handoff.run()
        yield self._escalation.run()
