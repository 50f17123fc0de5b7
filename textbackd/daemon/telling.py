"""The staff's side: who is told what, by which channels.   flow/handoff.py, flow/notices_out.py"""

from collections.abc import Callable, Coroutine, Iterator, Mapping

from textbackd.daemon.common import Common
from textbackd.flow.duty import Duty
from textbackd.flow.handoff import Handoff
from textbackd.pbx.client import AmiClient


class Telling:
    """Everything that tells staff and other programs."""

    def __init__(self, common: Common, *, clients: Mapping[str, AmiClient], wake: Callable[[], None]) -> None:
        self.handoff = Handoff(
            common.settings,
            store=common.store,
            clock=common.clock,
            bell=common.bell,
            duty=Duty(common.settings, clients),
            wake=wake,
        )

    def chores(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what has to run beside calls and texts."""
        yield self.handoff.listen()
        yield self.handoff.run()
