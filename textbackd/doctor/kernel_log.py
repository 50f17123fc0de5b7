"""What the kernel says of USB sticks that come and go, and of too little power.   /dev/kmsg → here → modem.py

Source: the kernel's Documentation/ABI/testing/dev-kmsg: "priority,sequence,microseconds since boot,flags;text".
"""

import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

KMSG: Final = Path("/dev/kmsg")
LOOK_BACK: Final = timedelta(days=1)
MOST_RECORDS: Final = 50_000
LONGEST: Final = 8192  # bytes of one record, as the kernel documents it
_RECORD: Final = re.compile(r"\d+,\d+,(\d+),[^;]*;(.*)")
_GONE: Final = re.compile(r"usb (\d+-[\d.]+): USB disconnect")
_POWER: Final = re.compile(r"under-?voltage detected|over-current", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KernelLog:
    """What it told within a day."""

    unplugged: Counter[str] = field(default_factory=Counter)  # USB socket, "1-1.2" → how often something left it
    power: int = 0  # how often it complained of too little


def read_kernel_log(path: Path = KMSG) -> KernelLog:
    """Return what the kernel told; nothing where this user may not read it."""
    return judge_records(_records(path), now=timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME)))


def judge_records(records: Iterable[str], *, now: timedelta) -> KernelLog:
    """Return what some records say about the last day.  Pure; `now` is the time since boot."""
    told = KernelLog()
    power = 0
    for record in records:
        found = _RECORD.match(record)
        if found is None or now - timedelta(microseconds=int(found[1])) > LOOK_BACK:
            continue
        if gone := _GONE.search(found[2]):
            told.unplugged[gone[1]] += 1
        power += bool(_POWER.search(found[2]))
    return KernelLog(told.unplugged, power)


def _records(path: Path) -> Iterator[str]:
    """Yield the records that there are; the end of them is an error that says "would block"."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for _ in range(MOST_RECORDS):
            record = os.read(handle, LONGEST)
            if not record:
                return
            yield record.decode("utf-8", "replace")
    except OSError:
        return
    finally:
        os.close(handle)
