"""Fourth part of `textbackd setup`: the words, as a caller gets them.   gateway.py → here → text.py"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from textbackd.cli.configuration import size
from textbackd.cli.options import wrapped
from textbackd.cli.setup.business import first_line
from textbackd.cli.setup.interview import Interview
from textbackd.config import Settings, lint
from textbackd.config.preview import preview
from textbackd.core.compose import TextKind
from textbackd.core.words import WORDS
from textbackd.setup.draft import Draft

SHOWN: Final = {
    TextKind.MISSED: "A caller whom nobody answered gets",
    TextKind.CLOSED: "One who calls when you are closed gets",
}


def ask_words(interview: Interview, draft: Draft) -> Draft:
    """Show the texts, and have them changed until they please."""
    interview.head("What callers get")
    draft = _given(interview, draft)
    while True:
        settings = draft.settings()
        _show(interview, settings)
        if not interview.agree("words", "Change the words?", default=False):
            return draft
        draft = _change(interview, draft, settings)


def _given(interview: Interview, draft: Draft) -> Draft:
    for kind in SHOWN:
        if kind.value in interview.given:
            draft = _worded(interview, draft, kind, "")
    return draft


def _change(interview: Interview, draft: Draft, settings: Settings) -> Draft:
    interview.tell(
        "{business} stands for your name; {opens_next} for when you are there again. "
        "End with a question. Enter keeps the words as they are."
    )
    line = settings.lines[first_line(draft)]
    for kind in SHOWN:
        ours = draft.at("lines", first_line(draft), "texts", kind.value) or WORDS[line.language].texts[kind]
        interview.tell(f"{kind.value}: {ours}")
        draft = _worded(interview, draft, kind, ours)
    return draft


def _worded(interview: Interview, draft: Draft, kind: TextKind, ours: str) -> Draft:
    """Return the draft with one text; the words that come with textbackd are not written down, so that they can get better.

    Lines that had the same words have the new ones, too.
    """
    line = first_line(draft)
    language = draft.settings().lines[line].language
    before = draft.at("lines", line, "texts", kind.value)
    alike = [name for name in draft.at("lines") if draft.at("lines", name, "texts", kind.value) == before]

    # Where a line words `missed`, that is said of every kind that it does not word: then ours has to be written, too.
    own = kind is not TextKind.MISSED and draft.at("lines", line, "texts", TextKind.MISSED.value) is not None

    def read(said: str) -> str | None:
        return None if said == WORDS[language].texts[kind] and not own else said

    where = ("lines", line, "texts", kind.value)
    draft = interview.answer(draft, where, kind.value, "New words", default=ours, read=read, show=False)
    for name in alike:
        draft = draft.put(draft.at(*where), "lines", name, "texts", kind.value)
    return draft


def _show(interview: Interview, settings: Settings) -> None:
    name = next(iter(settings.lines))
    for kind, title in SHOWN.items():
        shown = preview(settings, name, kind, datetime.now(UTC))
        if shown is None:
            interview.tell(f"{title} nothing.")
            continue
        interview.tell(f"{title}:")
        for line in wrapped(f"“{shown.body}”", "    "):
            interview.tell(line.strip(), "    ")
        interview.tell(f"{size(shown)}", "    ")
    for warning in _warnings(settings, name):
        interview.complain(warning)


def _warnings(settings: Settings, line: str) -> Iterator[str]:
    """Yield what the lint says of the texts of a line."""
    for warning in lint(settings):
        _, _, said = warning.partition(": ")
        if said.startswith(f"lines.{line}.texts."):
            yield said.removeprefix(f"lines.{line}.texts.")
