"""The gateways' side: what sends, what takes in, and the vendors' doors.   flow/texts_out.py, flow/replies_in.py → here → doors.py"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from textbackd.config import Gateway as GatewaySection
from textbackd.config import WebKind
from textbackd.config.readers import HOOK_SECRET, TOO_WEAK
from textbackd.core.phone import E164, read_number
from textbackd.daemon.common import Common
from textbackd.errors import TextbackdError
from textbackd.flow import texts_out
from textbackd.flow.replies_in import RepliesIn
from textbackd.flow.staff.texts import StaffTexts
from textbackd.flow.unknowns import Unknowns
from textbackd.flow.wishes import Wishes
from textbackd.gateways.base import Gateway, HearsLate, Lent, Measured, TakesHooks
from textbackd.gateways.registry import build
from textbackd.pbx.client import AmiClient
from textbackd.store import outbox
from textbackd.store.database import unusable
from textbackd.web import hooks


class Gateways:
    """All gateways of the configuration."""

    def __init__(
        self,
        common: Common,
        *,
        clients: Mapping[str, AmiClient],
        on_the_phone: Callable[[], set[E164]],
        staff: StaffTexts,
        told: texts_out.Told | None,
    ) -> None:
        self._common, self._clients, self._on_the_phone, self._told = common, clients, on_the_phone, told
        self._staff = staff
        self.doors: dict[str, hooks.Door] = {}  # where vendors tell what arrived
        # They subscribe to a client's events when they are built, before it logs in.
        self.gateways: Mapping[str, Gateway] = {
            name: self._gateway(name, section) for name, section in common.settings.gateways.items()
        }
        self._breakers = texts_out.Breakers()
        self._workers = [self._worker(name, gateway) for name, gateway in self.gateways.items()]

    def wake(self) -> None:
        """Have the outbox looked at now."""
        for worker in self._workers:
            worker.wake()

    async def take_up(self) -> None:
        """Settle what the last process left: texts that were being handed over, and those of gateways that are gone."""
        for name in await self._common.store.run(outbox.mark_cut_off):
            gateway = self.gateways.get(name)
            if isinstance(gateway, HearsLate):
                gateway.expect_late_answer()
        await self._common.store.run(lambda db: outbox.adopt_orphans(db, list(self.gateways)))

    def _worker(self, name: str, gateway: Gateway) -> texts_out.Worker:
        return texts_out.Worker(
            gateway,
            store=self._common.store,
            clock=self._common.clock,
            rate=self._common.settings.gateways[name].rate,
            on_the_phone=self._on_the_phone,
            breakers=self._breakers,
            bell=self._common.bell,
            told=self._told,
        )

    def _gateway(self, name: str, section: GatewaySection) -> Gateway:
        """Return the gateway of a section, and give it a door where vendors can tell what arrived."""
        secret = section.webhook.get_secret_value() if isinstance(section, WebKind) and section.webhook else None
        if secret is not None and not HOOK_SECRET.fullmatch(secret):
            raise TextbackdError(f"gateways.{name}.webhook: {TOO_WEAK}")
        settings = self._common.settings
        url = settings.webhooks.hook_url(name, secret) if secret else None
        gateway = build(name, section, Lent(hook_url=url, notes=_notes(settings.storage, name), managers=self._clients))
        if secret is not None and isinstance(gateway, TakesHooks):
            self.doors[name] = hooks.Door(gateway, secret)
        return gateway

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Run the gateways and their workers; on the way out let every send in flight come to its end."""
        for gateway in self.gateways.values():
            await gateway.start()
        try:
            async with asyncio.TaskGroup() as group:
                for worker in self._workers:
                    group.create_task(worker.run())
                listeners = [group.create_task(work) for work in self._inwards()]
                try:
                    yield
                finally:
                    for worker in self._workers:
                        worker.stop()
                    for listener in listeners:
                        listener.cancel()
        finally:
            for gateway in self.gateways.values():
                await gateway.close()

    def _inwards(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what has to run for what comes in, and for what is heard of texts afterwards."""
        common = self._common
        country, wishes = common.settings.business.country, Wishes(common.settings)
        for gateway in self.gateways.values():
            yield RepliesIn(
                gateway,
                store=common.store,
                guard=common.guard,
                wishes=wishes,
                bell=common.bell,
                staff=self._staff,
                line_of=self._line_of,
                read_number=lambda written: read_number(written, country).e164,
                clock=common.clock,
            ).run()
            if Unknowns.can_settle(gateway):
                yield Unknowns(gateway, store=common.store, clock=common.clock, wake=self.wake).run()

    def _line_of(self, did: E164 | None) -> str | None:
        found = self._common.settings.line_for(did)
        return found[0] if found else None

    def states(self) -> Mapping[str, str]:
        """Return how each gateway is."""
        return {name: gateway.health().value for name, gateway in self.gateways.items()}

    def measured(self) -> Mapping[str, Measured]:
        """Return the gateways that measure themselves."""
        return {name: gateway for name, gateway in self.gateways.items() if isinstance(gateway, Measured)}


def _notes(storage: Path, gateway: str) -> Path:
    """Return the folder beside the database in which a gateway keeps what it must not forget. Raises StorageError."""
    folder = storage.parent / "gateways" / gateway
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(storage, error) from error
    return folder
