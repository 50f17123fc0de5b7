"""A trace that keeps its verdicts and shows nobody's number or name.   the socket or a trace → here → a file for a bug report

An allow-list: of the stream stay the frames that the tracker reads and the banners, of a frame the headers of `_KINDS`, of a
header's value what its kind knows. All else is dropped or replaced, so that what nobody has thought of does not get out.

* A number of seven digits or more becomes another of the same region, kind and written form; a caller, a DID or a mobile is the
  same fictional number wherever and however it is written. Extensions stay.
* Names become "Name 1", phones that are called by words `phone1`, queues `queue1`. What trunks and reasons are told by stays as far
  as it is needed for that: a trunk's name if a pattern of the configuration asks for it, contexts but for what they hold of names.
* Ids lose the name of their system. Addresses of machines and people are removed.

What is replaced follows from a key that is drawn for each trace and kept nowhere, so nothing can be computed back.
"""

import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import blake2b
from typing import BinaryIO, Final

import phonenumbers

from textbackd.core import missed
from textbackd.core.events import Event
from textbackd.core.phone import E164, SHORT_CODE_DIGITS, WITHHELD, NotTextable, ReadNumber, read_number
from textbackd.core.picture import MACHINES
from textbackd.core.tracker import PARKING_APPLICATIONS, UUID
from textbackd.core.trunk import Trunks
from textbackd.pbx.trace import BANNER, CHUNK, modern_line_ends
from textbackd.pbx.wire import BLANK_LINE, FrameSplitter, read_event, tracked

MOST_REMEMBERED: Final = 20_000  # numbers, and as many names; what comes after is replaced too, but by something longer
LONGEST_VALUE: Final = 4096  # characters; nothing that means something is longer
TRIES: Final = 100  # for a number of each form; of a form that suits, a good part of the draws does
LAST_TRIES: Final = (
    2000  # for the last form, three digits: of the Dutch 14xxx only one in forty exists (libphonenumber)
)
# For a word that Asterisk is not known to say; never empty, since an empty status means "still ringing".
OTHER: Final = "other"

# Numbers that are nobody's: NANPA, 555-0100 to 555-0199 in each area; Ofcom, "Telephone numbers for use in TV and radio drama".
FICTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "1": ("???55501??",),
    "44": ("7700900???", "2079460???", "1632960???", "8081570???", "9098790???"),
}
JUDGED_CONTEXTS: Final = (
    *missed.BLACKLIST_CONTEXTS, *missed.SERVICE_CONTEXTS, *missed.MENU_CONTEXTS, *missed.VOICEMAIL_CONTEXTS,
    *missed.CLOSED_CONTEXTS,
)  # fmt: skip
# Channel technologies; chan_*.c of Asterisk 1.8 to 22, and the internal ones that the tracker knows.
TECHNOLOGIES: Final = frozenset({
    "PJSIP", "SIP", "IAX2", "Local", "DAHDI", "Zap", "SCCP", "Skinny", "MGCP", "H323", "OOH323", "Console", "Motif", "Gtalk",
    "Jingle", "Dongle", "Quectel", "Mobile", "Khomp", "Woomera", "mISDN", "CAPI", "Phone", "USTM", "Unistim", "MulticastRTP",
    "UnicastRTP", "WebSocket", "AudioSocket", "AsyncGoto", "Parked", *(machine.rstrip("/") for machine in MACHINES),
})  # fmt: skip
# Words of extensions that are no person's: Asterisk's own, and those of FreePBX's dialplan.
EXTENSION_WORDS: Final = frozenset({
    "s", "h", "i", "t", "o", "a", "e", "fax", "busy", "congestion", "hangup", "hang", "ring", "dial", "start", "return", "exit",
    "noanswer", "cancel", "answer", "chanunavail", "dontcall", "torture", "invalidargs", "nomessage", "lookup", "check", "hook",
    "fmpr", "fmgl", "fmunav", "rg", "lc", "vmb", "vmu", "vms", "vmi", "vmx", "vmbusy", "vmunavail", "dovm", "recconf", "pjsip",
    "sip", "iax", "dahdi",
})  # fmt: skip
CHANNEL: Final = re.compile(
    # A serial number is eight hexadecimal digits, or a short decimal one (IAX2, DAHDI).
    r"(?P<technology>[^/]+)/(?P<inner>.*?)(?P<serial>-(?:[0-9a-fA-F]{8}|[0-9]{1,6}))?(?P<mark>(?:;[12])?(?:<MASQ>|<ZOMBIE>)?)",
    re.DOTALL,
)
UNIQUEID: Final = re.compile(r"(?:.*-)?(1[0-9]{9}\.[0-9]{1,6})", re.DOTALL)  # seconds until 2033, and a counter
TIMESTAMP: Final = re.compile(r"[12][0-9]{9}\.[0-9]{6}")  # manager.c: "%ld.%06lu", from 2001 on
VERSION: Final = re.compile(rb"Asterisk Call Manager/([0-9]{1,2}(?:\.[0-9]{1,2}){0,2})")
PRESENTATION: Final = re.compile(  # ast_describe_caller_presentation
    r"[0-9]{1,2} \((?:Presentation (?:Allowed|Prohibited), (?:Not Screened|Passed Screen|Failed Screen|Network Number)"
    r"|Number Unavailable)\)"
)
PRESENTATIONS: Final = frozenset(  # ast_named_caller_presentation
    [f"{may}_{how}" for may in ("allowed", "prohib") for how in ("not_screened", "passed_screen", "failed_screen")]
    + ["allowed", "prohib", "unavailable"]
)
NUMBER: Final = re.compile(r"(?=[^0-9]*[0-9])[0-9+ ().\-/*#]+")
DIGITS_IN_TEXT: Final = re.compile(r"\+?[0-9](?:[-_. ]?[0-9])*")
EXTENSION: Final = re.compile(r"[A-Za-z0-9_*#+-]{1,80}")
CONTEXT: Final = re.compile(r"[A-Za-z0-9_.+*#@-]{1,80}")
HOST: Final = re.compile(r"(?:[^\s@]*@[\w.-]*|[\w-]+(?:\.[\w-]+)+)")  # e-mail and IP addresses too
WORD: Final = re.compile(r"[A-Za-z]{3,40}")


class Anonymiser:
    """Makes one trace anonymous, as a stream: frames in, bytes out.

    `country` is the business's, in which numbers are read; `trunks` and `ignored_contexts` are those of the PBX's configuration,
    which the result is judged by like the original.
    """

    def __init__(self, country: str, trunks: Trunks, *, ignored_contexts: Sequence[str] = ()) -> None:
        key = _Key()
        self._splitter = FrameSplitter()
        self._numbers = _Numbers(key, country)
        self._labels = _Labels(key)
        self._key = key
        self._country = country
        self._trunks = trunks
        self._told_by_name = Trunks(contexts=(), channels=trunks.channels)
        self._judged = (*JUDGED_CONTEXTS, *ignored_contexts)
        self._sides = lru_cache(maxsize=1000)(self._looked_at)  # sixty patterns for each context of each event, else

    # ---- what the outside calls

    def feed(self, data: bytes) -> bytes:
        """Return what `data` completes, anonymised. What is not complete in the end is never shown."""
        return b"".join(self.frame(frame) for frame in self._splitter.feed(data))

    def trace(self, trace: BinaryIO) -> Iterator[bytes]:
        """Yield a recorded trace, read to its end, anonymised."""
        while chunk := trace.read(CHUNK):
            yield self.feed(modern_line_ends(chunk))
        yield self.feed(BLANK_LINE)

    def frame(self, frame: bytes) -> bytes:
        """Return an anonymised frame with its blank line; nothing for a frame that the tracker does not read."""
        if tracked(frame):
            event = read_event(frame, None)
            return self.event(event) if event is not None else b""
        if BANNER not in frame:
            return b""
        # As pbx/trace.py reads it: an old Asterisk leaves no blank line between the banner and an event.
        rest = frame[frame.rindex(BANNER) :].partition(b"\r\n")[2]
        return _banner(frame) + (self.frame(rest) if tracked(rest) else b"")

    def event(self, event: Event) -> bytes:
        """Return an event with the headers that are needed and nothing of anybody in them."""
        headers = event.headers
        if event.name == "VarSet" and "CALLINGNUMPRES" not in headers.get("Variable", ""):
            return b""
        self._meet_trunks(headers)
        kept = ((name, kind(self, self._short(headers[name]))) for name, kind in _KINDS.items() if name in headers)
        lines = [f"Event: {event.name}", *(f"{name}: {value}" for name, value in kept if value is not None)]
        return "\r\n".join([*lines, "", ""]).encode()

    def stands_for(self, number: E164) -> E164 | None:
        """Return the fictional number that stands for `number` in the trace so far, or None if it did not come up."""
        return self._numbers.given.get(number)

    @property
    def size(self) -> int:
        """Return how many things are remembered; bounded whatever is sent."""
        return self._numbers.size + self._labels.size

    # ---- kinds of values

    def _short(self, value: str) -> str:
        return value if len(value) <= LONGEST_VALUE else self._key.letters(value)

    def _meet_trunks(self, headers: Mapping[str, str]) -> None:
        """Give the trunks of an event their labels first, before one is taken for a phone."""
        for prefix in SNAPSHOTS:
            name = self._short(headers.get(f"{prefix}Channel", ""))
            found = CHANNEL.fullmatch(name)
            if found and found["technology"] != "Local" and self._trunks.has(name, headers.get(f"{prefix}Context", "")):
                self._endpoint(found["inner"], "trunk")

    def channel(self, name: str) -> str:
        """Return a channel's name: technology, serial number and half stay, an endpoint only if it is an extension or has to."""
        if not name:
            return name
        found = CHANNEL.fullmatch(name)
        technology = self._technology(name, found) if found else None
        if found is None:
            return f"Other/{self._key.letters(name)}"
        end = self._serial(found["serial"] or "") + found["mark"]
        if technology is None:
            return f"Other/{self._key.letters(found['technology'] + '/' + found['inner'])}{end}"
        if technology == "Local":
            return f"Local/{self._local(found['inner'])}{end}"
        names = [f"{technology}/{inner}{end}" for inner in self._inners(name, found["inner"])]
        told = self._told_by_name.has(name, "")
        return next((new for new in names if self._told_by_name.has(new, "") == told), names[-1])

    def _technology(self, name: str, found: re.Match[str]) -> str | None:
        technology = found["technology"]
        needed = technology.isascii() and technology.isalnum() and self._told_by_name.has(name, "")
        return technology if technology in TECHNOLOGIES or needed else None

    def _serial(self, serial: str) -> str:
        # They count from nought, so a long one may be something else.
        digits = serial.removeprefix("-")
        small = len(digits.lstrip("0")) <= SHORT_CODE_DIGITS
        return serial if small else f"-{self._key.draw(serial) % 16**8:08x}"

    def _inners(self, name: str, inner: str) -> Iterator[str]:
        """Yield what may stand for an endpoint, the most private first."""
        label = self._endpoint(inner, "phone")
        yield label
        if self._told_by_name.has(name, ""):
            yield self._scrubbed(inner)
        else:
            yield self._key.letters(inner)

    def _local(self, inner: str) -> str:
        extension, at, context = inner.rpartition("@")
        if not at:
            return self.dialled(inner)
        return f"{self.dialled(extension)}@{self.context(context)}"

    def _endpoint(self, inner: str, word: str) -> str:
        if inner.isascii() and inner.isdigit():
            return self.dialled(inner)
        if _count(inner) > SHORT_CODE_DIGITS and NUMBER.fullmatch(inner) and "." not in inner:  # else an address
            return self._numbers.written(inner)
        return self._labels.of(inner, word)

    def dialled(self, value: str, word: str = "phone") -> str:
        """Return a number, an extension or the word in its place: a caller's number, what was dialled."""
        if (told := _told_nothing(value)) is not None:
            return told
        plain = _ascii_digits(value)
        if NUMBER.fullmatch(plain):
            short = _count(plain) <= SHORT_CODE_DIGITS and "." not in plain  # 10.0.0.7 is an address
            return plain if short else self._numbers.written(plain)
        read = read_number(value, self._country)
        if read.e164 is not None:
            return self._numbers.written(read.e164)
        if read.not_textable is NotTextable.SHORT_CODE:
            return "".join(c for c in plain if c in "0123456789") or self._labels.of(value, word)
        return self._extension(value, word)

    def _extension(self, value: str, word: str) -> str:
        words = re.findall("[A-Za-z]+", value)
        if EXTENSION.fullmatch(value) and all(part.lower() in EXTENSION_WORDS for part in words):
            return self._without_numbers(value)
        return self._labels.of(value, word)

    def queue(self, value: str) -> str:
        """Return a queue's number, or a label for its name."""
        return self.dialled(value, "queue")

    def mailbox(self, value: str) -> str:
        """Return a mailbox's number without its context, or a label for its name."""
        return self.dialled(value.partition("@")[0], "mailbox")

    def name(self, value: str) -> str:
        """Return "Name 1" and so on; what says that there is no name stays."""
        told = _told_nothing(value)
        return self._labels.of(value, "Name ") if told is None else told

    def context(self, value: str) -> str:
        """Return a context without numbers, addresses and names in it that we know; it is judged like the original."""
        if not value:
            return value
        sides = self._sides(value)
        if CONTEXT.fullmatch(value) and self._sides(scrubbed := self._scrubbed(value)) == sides:
            return self._without_names(scrubbed, sides)
        label = self._labels.of(value, "context")
        return next((context for context in self._named_like(value, label) if self._sides(context) == sides), label)

    def _looked_at(self, context: str) -> tuple[bool, ...]:
        """Return what every rule that looks at contexts says of this one."""
        lower = context.lower()
        judged = [fnmatchcase(lower, pattern) for pattern in self._judged]
        return (*judged, *(fnmatchcase(context, pattern) for pattern in self._trunks.contexts))

    def _named_like(self, value: str, label: str) -> Iterator[str]:
        yield label
        patterns = [p for p in (*self._judged, *self._trunks.contexts) if fnmatchcase(value.lower(), p.lower())]
        for literal in [pattern.strip("*") for pattern in patterns]:
            if CONTEXT.fullmatch(literal) and self._scrubbed(literal) == literal:
                yield from (f"{literal}-{label}", f"{label}-{literal}", f"{label}-{literal}-{label}", literal)

    def _without_names(self, context: str, sides: tuple[bool, ...]) -> str:
        for word in WORD.findall(context):
            if label := self._labels.word(word):
                shorter = re.sub(rf"(?<![A-Za-z]){word}(?![A-Za-z])", label, context)
                context = shorter if self._sides(shorter) == sides else context
        return context

    def _scrubbed(self, text: str) -> str:
        return self._without_numbers(HOST.sub("host", text))

    def _without_numbers(self, text: str) -> str:
        return DIGITS_IN_TEXT.sub(
            lambda run: self._numbers.written(run[0]) if _count(run[0]) > SHORT_CODE_DIGITS else run[0], text
        )

    def uniqueid(self, value: str) -> str:
        """Return an id without its system's name; one that Asterisk did not make becomes another."""
        found = UNIQUEID.fullmatch(value)
        if found is not None:
            return found[1]
        return self._key.letters(value) if value else value

    def bridge(self, value: str) -> str:
        """Return a bridge's id: a UUID tells nothing, and what is none stays none."""
        return value if UUID.fullmatch(value) or not value else self._key.letters(value)

    def presentation(self, value: str) -> str:
        """Return a caller ID's presentation as CID-CallingPres writes it."""
        if PRESENTATION.fullmatch(value):
            return value
        return "32 (Presentation Prohibited)" if "Prohibited" in value else "0 (Presentation Allowed)"

    def named_presentation(self, value: str) -> str:
        """Return a caller ID's presentation as CALLERID(pres) writes it."""
        if value in PRESENTATIONS:
            return value
        return "prohib" if value.startswith("prohib") else OTHER

    def channel_variables(self, value: str) -> str | None:
        """Return of all channel variables only that the number is withheld."""
        return "CALLERID(pres)=prohib" if "=prohib" in value else None


class _Key:
    """What all replacements of one trace are drawn with."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def draw(self, what: str, attempt: int = 0) -> int:
        """Return a large number that follows from `what` for those who have the key, and is random for all others."""
        text = f"{attempt} {what}".encode()
        return int.from_bytes(blake2b(text, key=self._key, digest_size=40).digest())

    def digits(self, what: str, attempt: int, count: int) -> str:
        """Return `count` digits, drawn."""
        drawn = ""
        while len(drawn) < count:
            drawn += f"{self.draw(f'{len(drawn)} {what}', attempt):096d}"[-64:]
        return drawn[:count]

    def letters(self, what: str) -> str:
        """Return a word in the place of `what`; no digits, so that it is no number."""
        return f"{self.draw(what) % 16**16:016x}".translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))


class _Labels:
    """Numbered words in the place of names."""

    def __init__(self, key: _Key) -> None:
        self._key = key
        self._given: dict[tuple[str, str], str] = {}
        self._words: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def of(self, text: str, word: str) -> str:
        """Return the label of `text`, "phone1"; the same for the same text. A trunk stays one if it is met as a phone later."""
        key = ("phone" if word == "trunk" else word, self._key.letters(text))
        return self._given.get(key) or self._new(key, text, word)

    def _new(self, key: tuple[str, str], text: str, word: str) -> str:
        if len(self._given) >= MOST_REMEMBERED:
            return f"{word}{key[1]}"
        self._counts[word] += 1
        label = self._given[key] = f"{word}{self._counts[word]}"
        if word not in ("trunk", "context"):  # these are the shop's words
            self._learn(text, label.replace(" ", "").lower())
        return label

    def _learn(self, text: str, label: str) -> None:
        for part in WORD.findall(text):
            if len(self._words) < MOST_REMEMBERED:
                self._words.setdefault(part.lower(), label)

    @property
    def size(self) -> int:
        return len(self._given) + len(self._words)

    def word(self, word: str) -> str | None:
        """Return the label of the name in which this word came up, "name1"."""
        return self._words.get(word.lower())


class _Numbers:
    """Fictional numbers in the place of real ones."""

    def __init__(self, key: _Key, country: str) -> None:
        self._key = key
        self._country = country
        self.given: dict[E164, E164] = {}
        self._taken: set[str] = (
            set()
        )  # last digits only: by these core/merge.py tells two calls from one that came twice

    def written(self, number: str) -> str:
        """Return another number, written like this one and read like it but for its digits."""
        read = read_number(number, self._country)
        if read.e164 is None:
            return self._unreadable(number, read)
        fictional = self._fictional(read.e164, read)
        laid = _in_the_form(number, read.e164, fictional)
        expected = replace(read, e164=fictional)
        return laid if laid and read_number(laid, self._country) == expected else fictional

    @property
    def size(self) -> int:
        return len(self.given) + len(self._taken)

    def _unreadable(self, number: str, read: ReadNumber) -> str:
        count = _count(number)
        for attempt in range(TRIES):
            laid = _laid_out(number, self._key.digits(number, attempt, count))
            if laid != number and read_number(laid, self._country) == read:
                return laid
        return "invalid"

    def _fictional(self, number: E164, read: ReadNumber) -> E164:
        given = self.given.get(number)
        if given is not None:
            return given
        drawn = self._drawn(number, read)
        if len(self.given) < MOST_REMEMBERED:
            self.given[number] = drawn
            self._taken.add(_last_digits(drawn))
        return drawn

    def _drawn(self, number: E164, read: ReadNumber) -> E164:
        for form, attempt in _forms(number):
            candidate = self._filled(form, attempt, number)
            if candidate == number or _last_digits(candidate) in self._taken:
                continue
            if read_number(candidate, self._country) == replace(read, e164=candidate):
                return candidate
        code, national = _split(number)
        return self._filled(f"+{code}{'?' * len(national)}", TRIES, number)  # of another kind, but not this one

    def _filled(self, form: str, attempt: int, number: str) -> E164:
        digits = iter(self._key.digits(f"{form} {number}", attempt, form.count("?")))
        return E164("".join(next(digits) if c == "?" else c for c in form))


def _forms(number: E164) -> Iterator[tuple[str, int]]:
    """Yield forms (`?` is a digit to draw) and the attempt, the least like `number` first; all keep its country code.

    Which area code or first digits a kind of number has differs by country, so more and more of the number's own are kept.
    """
    code, national = _split(number)
    reserved = [form for form in FICTIONAL.get(code, ()) if len(form) == len(national)]
    same_area = [f"{national[:3]}55501??"] if code == "1" and len(national) == 10 else []
    kept = [national[:count] + "?" * (len(national) - count) for count in range(max(len(national) - 2, 1))]
    for form in (*reserved, *same_area, *kept):
        tries = LAST_TRIES if form is kept[-1] else TRIES
        yield from ((f"+{code}{form}", attempt) for attempt in range(tries))


def _split(number: E164) -> tuple[str, str]:
    """Return country code and national number (ITU-T E.164: codes have one to three digits, none is another's beginning)."""
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    length = next((n for n in (1, 2, 3) if int(number[1 : 1 + n]) in codes), 1)
    return number[1 : 1 + length], number[1 + length :]


def _in_the_form(written: str, number: E164, fictional: E164) -> str | None:
    """Return `fictional` as `number` is written, "011…" or with its spaces; None if that cannot be told."""
    (_, national), (_, other) = _split(number), _split(fictional)
    digits = "".join(c for c in written if c.isdigit())
    return _laid_out(written, digits.removesuffix(national) + other) if digits.endswith(national) else None


def _laid_out(written: str, digits: str) -> str:
    if len(digits) != _count(written):
        return ("+" if written.startswith("+") else "") + digits
    rest = iter(digits)
    return "".join(next(rest) if c.isdigit() else c for c in written)


def _last_digits(number: E164) -> str:
    return number[-9:]


def _count(text: str) -> int:
    return sum(c.isdigit() for c in text)


def _ascii_digits(text: str) -> str:
    """Return the text with digits of other scripts and widths as ours; numbers are read from all of them."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)


def _told_nothing(value: str) -> str | None:
    """Return a value that says that there is none, "anonymous"; None for a value that says something."""
    cleaned = value.strip().strip('"')
    if cleaned.casefold() not in WITHHELD:
        return None
    return value if value.isprintable() else cleaned


def _banner(frame: bytes) -> bytes:
    found = VERSION.search(frame)
    return BANNER + (found[1] if found else b"0") + b"\r\n\r\n"


# ---- kinds of values that need no memory, and the headers that stay

_Kind = Callable[[Anonymiser, str], str | None]


def _one_of(*words: str) -> _Kind:
    known = frozenset(words)
    return lambda _, value: value if value in known or not value else OTHER


def _time(_: Anonymiser, value: str) -> str | None:
    return value if TIMESTAMP.fullmatch(value) else None


def _small_number(_: Anonymiser, value: str) -> str | None:
    """Return a count; one of more than six digits as the largest of six."""
    if not (value.isascii() and value.isdigit()):
        return None
    return value if len(value) <= SHORT_CODE_DIGITS else "9" * SHORT_CODE_DIGITS


def _cause(_: Anonymiser, value: str) -> str | None:
    return value if re.fullmatch("[0-9]{1,3}", value) else None


def _classes(_: Anonymiser, value: str) -> str | None:
    return value if all(word in MANAGER_CLASSES for word in value.split(",")) else None


def _application(_: Anonymiser, value: str) -> str:
    return value if value.lower() in APPLICATIONS or not value else OTHER


def _variable(_: Anonymiser, value: str) -> str:
    return "CALLINGNUMPRES"


MANAGER_CLASSES: Final = frozenset({
    "system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting", "cdr", "dialplan", "originate",
    "agi", "cc", "aoc", "test", "security", "message", "all",
})  # fmt: skip
APPLICATIONS: Final = missed.SERVICE_APPLICATIONS | missed.MENU_APPLICATIONS | {
    *(application.lower() for application in PARKING_APPLICATIONS),
    "voicemail", "dial", "appdial", "appdial2", "queue", "playback", "playtones", "wait", "answer", "hangup", "busy", "congestion",
    "ringing", "progress", "confbridge", "followme", "bridge", "bridgewait", "pickup", "musiconhold", "agi",
    "stasis", "mixmonitor", "macro", "gosub", "goto", "set", "record", "page", "privacymanager",
}  # fmt: skip
_SNAPSHOT: Final[Mapping[str, _Kind]] = {
    "Channel": Anonymiser.channel,
    "ChannelState": _cause,
    "ChannelStateDesc": _one_of(
        "Down", "Rsrvd", "OffHook", "Dialing", "Ring", "Ringing", "Up", "Busy", "Dialing Offhook", "Pre-ring", "Unknown"
    ),
    "CallerIDNum": Anonymiser.dialled,
    "Context": Anonymiser.context,
    "Exten": Anonymiser.dialled,
    "Uniqueid": Anonymiser.uniqueid,
    "Linkedid": Anonymiser.uniqueid,
}
# What an event says of several channels it says with these before the header's name.
SNAPSHOTS: Final = (
    "", "Dest", "LocalOne", "LocalTwo", "Transferer", "Transferee", "OrigTransferer", "SecondTransferer", "TransferTarget",
    "Parkee", "Parker",
)  # fmt: skip
_BRIDGE: Final[Mapping[str, _Kind]] = {
    "BridgeUniqueid": Anonymiser.bridge,
    "BridgeType": _one_of("basic", "base", "parking", "holding", "stasis"),
    "BridgeTechnology": _one_of("simple_bridge", "native_rtp", "native_dahdi", "softmix", "holding_bridge"),
    "BridgeNumChannels": _small_number,
}
_KINDS: Final[Mapping[str, _Kind]] = {
    "Privilege": _classes,
    "Timestamp": _time,
    "SubEvent": _one_of("Begin", "End"),  # of Dial, up to Asterisk 11
    "Bridgestate": _one_of("Link", "Unlink"),  # of Bridge, up to Asterisk 11
    # Names before contexts, so that a name is known when a context is looked at.
    "CallerIDName": Anonymiser.name,
    **{f"{prefix}{header}": kind for prefix in SNAPSHOTS for header, kind in _SNAPSHOT.items()},
    "Newname": Anonymiser.channel,
    "Destination": Anonymiser.channel,
    "Channel1": Anonymiser.channel,
    "Channel2": Anonymiser.channel,
    **dict.fromkeys(("UniqueID", "DestUniqueID", "Uniqueid1", "Uniqueid2"), Anonymiser.uniqueid),
    **_BRIDGE,
    **{f"{prefix}{header}": kind for prefix in ("Orig", "Second", "Dest") for header, kind in _BRIDGE.items()},
    "BridgeId": Anonymiser.bridge,
    "SwapUniqueid": Anonymiser.uniqueid,
    "DialStatus": _one_of(
        "ANSWER", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL", "ABORT", "CONTINUE", "DONTCALL", "TORTURE",
        "INVALIDARGS", "GOTO", "UNKNOWN",
    ),
    "Forward": Anonymiser.dialled,
    "Extension": Anonymiser.dialled,
    "Queue": Anonymiser.queue,
    "Position": _small_number,
    "OriginalPosition": _small_number,
    "Count": _small_number,
    "Cause": _cause,
    "TechCause": _cause,
    "CID-CallingPres": Anonymiser.presentation,
    "ChanVariable": Anonymiser.channel_variables,
    "Variable": _variable,  # of VarSet, which stays only where it is about the presentation
    "Value": Anonymiser.named_presentation,
    "LocalOptimization": _one_of("Yes", "No"),
    "Result": _one_of("Success", "Fail", "Invalid", "Not Permitted"),
    "DestType": _one_of("Bridge", "App", "Link", "Threeway", "Fail"),
    "ParkingTimeout": _small_number,
    "ParkingDuration": _small_number,
    "Mailbox": Anonymiser.mailbox,
    "Waiting": _small_number,
    "Application": _application,
    "ListItems": _small_number,
    "Uptime": _small_number,
    "Shutdown": _one_of("Cleanly", "Uncleanly"),
    "Restart": _one_of("True", "False"),
}  # fmt: skip
