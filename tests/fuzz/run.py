"""One fuzz run for `scripts/fuzz`: guided by coverage where atheris is installed, else recordings with mistakes in them.

Ends with 0 if nothing was found. What broke it is kept in the folder that is named at the end, and can be given again as FILE.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

try:
    import atheris  # type: ignore[import-untyped, unused-ignore]
except ImportError:
    atheris = None

LONGEST_INPUT: Final = 1 << 16  # bytes
MOST_MEMORY: Final = 600  # MB for the whole run, libFuzzer's own included
OWN_SHARE: Final = 0.5  # of the inputs come from our mistakes, the others from libFuzzer's


def main() -> None:
    """Fuzz for so many seconds, or take one kept input again."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("what", nargs="?", default="60", help="seconds, or a kept input")
    what = parser.parse_args().what
    if not what.isdigit():
        _target()(Path(what).read_bytes())
    elif atheris is not None:
        _guided(int(what))
    else:
        _unguided(int(what))


def _target() -> Any:
    from tests.fuzz.target import Target  # noqa: PLC0415

    return Target().take


def _guided(seconds: int) -> None:
    with atheris.instrument_imports(include=["textbackd"]):
        from tests.fuzz.target import Target  # noqa: PLC0415
    from tests.fuzz.mutations import mutated, recordings  # noqa: PLC0415

    target, streams = Target(), recordings()
    kept = Path(tempfile.mkdtemp(prefix="textbackd-fuzz-"))
    seeds = kept / "seeds"
    seeds.mkdir()
    for number, stream in enumerate(streams):
        (seeds / str(number)).write_bytes(b"\x06" + stream[: LONGEST_INPUT - 1])

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < OWN_SHARE:
            return mutated([data[1:] or b"\r\n", *dice.sample(streams, 3)], dice)[:size]
        return bytes(atheris.Mutate(data, size))

    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-rss_limit_mb={MOST_MEMORY}"]
    options += [f"-artifact_prefix={kept}/", "-print_final_stats=1", "-timeout=10"]
    print(f"what breaks it is kept in {kept}", flush=True)  # noqa: T201
    atheris.Setup([sys.argv[0], *options, str(seeds)], target.take, custom_mutator=mutate)
    atheris.Fuzz()


def _unguided(seconds: int) -> None:
    from tests.fuzz.mutations import mutated, recordings  # noqa: PLC0415
    from tests.fuzz.target import Target  # noqa: PLC0415

    target, streams = Target(), recordings()
    dice = random.Random(seed := int.from_bytes(os.urandom(4)))
    print(f"atheris is not installed; recordings with mistakes, seed {seed}", flush=True)  # noqa: T201
    until, inputs, data = time.monotonic() + seconds, 0, b""
    try:
        while time.monotonic() < until:
            data = mutated(streams, dice)
            target.take(data)
            inputs += 1
        target.rest()
    except Exception:
        kept = Path(tempfile.mkstemp(prefix="textbackd-fuzz-")[1])
        kept.write_bytes(data)
        print(f"the input is kept in {kept}", flush=True)  # noqa: T201
        raise
    done = f"{inputs} inputs, {target.events} events, {target.calls} calls, at most {target.largest} things remembered"
    print(done)  # noqa: T201


if __name__ == "__main__":
    main()
