"""Everything that is built from one reading of the configuration, and goes with it.   config → here → daemon.py

A generation is built beside the one that runs, and changes nothing until the daemon goes over to it. What has to stay (connections with
their open calls, modems, the database) it only names; pbxs.py and gateways.py keep it.
"""

from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager

from textbackd.config import Settings
from textbackd.daemon import doors, pages
from textbackd.daemon.common import Kept, common
from textbackd.daemon.gateways import Gateways
from textbackd.daemon.listening import Ears, answering, ears, talking
from textbackd.daemon.pbxs import Pbxs
from textbackd.daemon.telling import Telling
from textbackd.daemon.vitals import Counters, Vitals
from textbackd.errors import TextbackdError
from textbackd.flow import upkeep
from textbackd.flow.conclude import Office
from textbackd.flow.feature_code import FeatureCode
from textbackd.flow.staff.watch import Watch
from textbackd.flow.staff.weekly import Weekly
from textbackd.store import journal
from textbackd.store.retention import Kept as KeptFor


class Generation:
    """All that holds while a configuration does."""

    def __init__(self, settings: Settings, kept: Kept, pbxs: Pbxs, gateways: Gateways, counters: Counters) -> None:
        """Build it, which may read files. Raises TextbackdError for what only it can see."""
        self.settings, self.since = settings, kept.clock()
        self.common = common(settings, kept)
        self.office = Office(settings)
        self.pbxs = pbxs.plan(self.common, self.office)
        clients = self.pbxs.clients
        self.telling = Telling(self.common, clients=clients, on_the_phone=pbxs.on_the_phone, wake=kept.wake)
        self.gateways = gateways.plan(self.common, clients, self.telling.texts)
        self._watch = self._watching(pbxs)
        self._weekly = Weekly(settings, store=kept.store, clock=kept.clock, wake=self.telling.wake)
        self.vitals = Vitals(self.common, pbxs, gateways, self._watch, counters, self.since)
        self._has_doors = doors.are_there(settings, self.gateways.doors)
        self._pages: Ears | None = None
        self._doors: Ears | None = None
        self._codes: Ears | None = None
        self._feature_code = FeatureCode(settings, store=kept.store, clock=kept.clock, bell=kept.bell)

    def _watching(self, pbxs: Pbxs) -> Watch:
        return Watch(
            self.settings,
            store=self.common.store,
            clock=self.common.clock,
            tells=self.telling.tells,
            at_once=self.telling.at_once.tell,
            pbx_states=pbxs.states,
            gateways=self.gateways.gateways,
            wake=self.telling.wake,
        )

    async def look_up(self) -> None:
        """Read from the database what it has to know. Raises sqlite3.Error."""
        self.office.note_own(await self.common.store.run(journal.seen_dids))

    def take_over(self, before: "Generation") -> None:
        """Go on with what another has seen."""
        self._watch.take_over(before._watch)
        self.telling.take_over(before.telling)
        self.common.ring_back.take_over(before.common.ring_back)

    # ---- what listens

    def bind(self, before: "Generation | None" = None) -> None:
        """Listen where it says, on the sockets of `before` if they are there. Raises TextbackdError, and listens nowhere new."""
        settings = self.settings
        try:
            self._pages = ears(settings.web, before._pages if before else None, key="web.listen")
            if self._has_doors:
                self._doors = ears(settings.webhooks, before._doors if before else None, key="webhooks.listen")
            if settings.feature_code is not None:
                known = before._codes if before else None
                self._codes = ears(settings.feature_code, known, key="feature_code.listen")
        except TextbackdError:
            self.unbind(before)
            raise

    def unbind(self, other: "Generation | None" = None) -> None:
        """Listen no more, but for what another listens with."""
        for own in self._ears:
            if other is None or own not in other._ears:
                own.close()

    @property
    def _ears(self) -> list[Ears]:
        return [ears for ears in (self._pages, self._doors, self._codes) if ears is not None]

    def pages(self) -> AbstractAsyncContextManager[None]:
        """Return what serves the pages."""
        return answering(lambda: pages.make_app(self.common, self.vitals), self._pages)

    def doors(self) -> AbstractAsyncContextManager[None]:
        """Return what takes webhooks, forms and calendars, if there are any."""
        telling, vendors = self.telling, self.gateways.doors
        return answering(lambda: doors.make_app(self.common, vendors, telling.wake, telling.tells), self._doors)

    def codes(self) -> AbstractAsyncContextManager[None]:
        """Return what answers the feature code, if there is one."""
        return talking(self._feature_code.take, self._codes)

    # ---- what runs beside calls and texts

    def chores(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what runs until it is cancelled, at any moment."""
        common, keep = self.common, self.settings.retention
        yield self.office.contacts.run()
        yield from self.telling.chores()
        yield self._watch.run()
        yield self._weekly.run()
        if (after := self.settings.inbox.close_after) is not None:
            yield upkeep.Closing(common.store, common.clock, common.bell, after).run()
        yield upkeep.Cleaning(common.store, KeptFor(texts=keep.texts, calls=keep.calls), common.clock).run()
