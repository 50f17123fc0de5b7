"""The recordings, as no Asterisk would ever send them.   tests/traces → here → target.py"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

RECORDINGS: Final = Path(__file__).parents[1] / "traces"
BLANK: Final = b"\r\n\r\n"
ODD_VALUES: Final = (
    b"", b" ", b"\xff\xfe", b"\x00", b"<unknown>", b"-1", b"1e308", b"nan", b"9" * 400, b"Local/1@x-1;1", b"Local/1@x-1;2",
    b";", b"PJSIP/", b"a: b: c", "Zoë\u2028".encode(), b"0" * 8 + b"-0000-4000-8000-" + b"0" * 12, b"s", b"Up", b"Ring",
)  # fmt: skip


def recordings() -> list[bytes]:
    """Return the recorded streams."""
    return [path.read_bytes() for path in sorted(RECORDINGS.glob("*/*.ami"))]


def mutated(streams: list[bytes], dice: random.Random) -> bytes:
    """Return one input for `Target.take`: frames of one to three recordings, in turn, with mistakes in them."""
    frames = _mixed([dice.choice(streams).split(BLANK) for _ in range(dice.choice((1, 1, 2, 3)))], dice)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        dice.choice(MISTAKES)(frames, dice)
    data = bytearray(BLANK.join(frames) + BLANK)
    if dice.random() < 0.2:
        _flip(data, dice)
    return bytes([dice.randrange(256)]) + bytes(data)


def _mixed(streams: list[list[bytes]], dice: random.Random) -> list[bytes]:
    frames = []
    while streams := [stream for stream in streams if stream]:
        frames.append(dice.choice(streams).pop(0))
    return frames


def _drop(frames: list[bytes], dice: random.Random) -> None:
    for _ in range(min(len(frames), dice.choice((1, 1, 3, 10)))):
        frames.pop(dice.randrange(len(frames)))


def _double(frames: list[bytes], dice: random.Random) -> None:
    frames.insert(dice.randrange(len(frames) + 1), _one_of(frames, dice))


def _swap(frames: list[bytes], dice: random.Random) -> None:
    if len(frames) > 1:
        one, other = dice.randrange(len(frames)), dice.randrange(len(frames))
        frames[one], frames[other] = frames[other], frames[one]


def _cut_off(frames: list[bytes], dice: random.Random) -> None:
    del frames[dice.randrange(len(frames) + 1) :]


def _cut_a_frame(frames: list[bytes], dice: random.Random) -> None:
    frame = _one_of(frames, dice)
    frames.append(frame[: dice.randrange(len(frame) + 1)])


def _odd_value(frames: list[bytes], dice: random.Random) -> None:
    if frames:
        place = dice.randrange(len(frames))
        lines = frames[place].split(b"\r\n")
        line = dice.randrange(len(lines))
        lines[line] = lines[line].partition(b": ")[0] + b": " + dice.choice(ODD_VALUES)
        frames[place] = b"\r\n".join(lines)


def _another_s_value(frames: list[bytes], dice: random.Random) -> None:
    """Put a value of one frame, a channel's name or number perhaps, where another frame has another."""
    values = [line.partition(b": ")[2] for line in _one_of(frames, dice).split(b"\r\n")]
    if frames:
        place = dice.randrange(len(frames))
        lines = frames[place].split(b"\r\n")
        line = dice.randrange(len(lines))
        lines[line] = lines[line].partition(b": ")[0] + b": " + dice.choice(values)
        frames[place] = b"\r\n".join(lines)


def _lines_mixed_up(frames: list[bytes], dice: random.Random) -> None:
    if frames:
        place = dice.randrange(len(frames))
        lines = frames[place].split(b"\r\n")
        dice.shuffle(lines)
        frames[place] = b"\r\n".join(lines)


def _flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 10, 100))):
        data[dice.randrange(len(data))] = dice.randrange(256)


def _one_of(frames: list[bytes], dice: random.Random) -> bytes:
    return dice.choice(frames) if frames else b""


MISTAKES: Final[tuple[Callable[[list[bytes], random.Random], None], ...]] = (
    _drop, _double, _swap, _cut_off, _cut_a_frame, _odd_value, _another_s_value, _lines_mixed_up,
)  # fmt: skip
