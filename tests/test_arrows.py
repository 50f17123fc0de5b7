"""The shape of the package: who may import whom, what the core must not touch, where SQL lives."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "textbackd"
MODULES = sorted(PACKAGE.rglob("*.py"))

# part → what it may import besides itself. An import points left:
# core ← config ← pbx, gateways, store, report ← handoff ← flow ← web, cli, daemon; pbx, gateways, store ← doctor ← cli.
BASE = {"core", "config", "errors", "pauses"}
MIDDLE = BASE | {"pbx", "gateways", "store", "report", "handoff"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": {"errors"},
    "errors": set(),
    "pauses": set(),
    "logs": set(),
    "config": {"core", "errors"},
    "pbx": BASE,
    "gateways": BASE,
    "store": BASE,
    "handoff": BASE | {"gateways"},
    "report": BASE | {"store", "pbx"},
    "demo": {"core"},
    "flow": MIDDLE,
    "web": MIDDLE | {"flow"},
    "daemon": MIDDLE | {"flow", "web", "logs"},
    "doctor": BASE | {"store", "pbx", "gateways"},
    "setup": MIDDLE | {"doctor"},
    "cli": MIDDLE | {"flow", "web", "daemon", "logs", "demo", "doctor", "setup"},
}
# What would bring a clock, a disk, a network or a framework into the core.
IMPURE = {
    "aiohttp", "asyncio", "io", "logging", "os", "pathlib", "pydantic", "random", "socket", "sqlite3", "sqlite_utils",
    "subprocess", "sys", "threading", "time", "urllib", "yaml",
}  # fmt: skip
CLOCKS = {"now", "today", "utcnow"}  # the module `time` is in IMPURE
SQL = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b", re.DOTALL)
SQL_ELSEWHERE = {
    "gateways/gammu/tables.py": "writes and reads the tables of gammu-smsd, which are not ours",
    "pbx/records/mysql.py": "reads the CDR table of the PBX, which is not ours",
    "pbx/records/postgresql.py": "reads the CDR table of the PBX, which is not ours",
    "pbx/records/sqlite.py": "reads the CDR table of the PBX, which is not ours",
}
BROAD_EXCEPT = {
    "store/database.py": "rolls back whatever happened, and raises it again",
    "web/pages.py": "whatever breaks in a page is logged and told in a sentence; texts and calls go on",
    "web/health.py": "whatever breaks while it is asked makes the answer `failing`",
    "gateways/modem/owner.py": "the thread that owns the serial port outlives whatever the library raises",
}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@dataclass(frozen=True)
class Facts:
    """What the rules ask of a module; its tree, which is large, is not kept."""

    imports: tuple[str, ...]  # full names, also those inside functions
    calls: tuple[str, ...]
    is_documented: bool
    has_sql: bool
    catches_everything: bool


@cache
def facts(path: Path) -> Facts:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    strings = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return Facts(
        imports=tuple(_imports(path, nodes)),
        calls=tuple(ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)) if is_core(path) else (),
        is_documented=not text.strip() or ast.get_docstring(tree) is not None,
        has_sql=any(SQL.search(string) for string in strings),
        catches_everything=any(isinstance(node, ast.ExceptHandler) and _is_broad(node) for node in nodes),
    )


def _imports(path: Path, nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide their direction"
            if node.module == "textbackd":
                yield from (f"textbackd.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught)


def is_core(path: Path) -> bool:
    return part_of(path) == "core"


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parts_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in facts(path).imports)
    return {steps[1] for steps in names if steps[0] == "textbackd" and len(steps) > 1} - {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_an_import_points_left_only(path: Path) -> None:
    part = part_of(path)
    if part != "__init__":
        assert parts_imported(path) <= MAY_IMPORT[part] | {part}


@pytest.mark.parametrize("path", [path for path in MODULES if is_core(path)], ids=name_of)
def test_the_core_is_pure(path: Path) -> None:
    assert not {name.split(".")[0] for name in facts(path).imports} & IMPURE
    assert [call for call in facts(path).calls if call.rpartition(".")[2] in CLOCKS and "." in call] == []
    assert not {"open", "print", "input"} & set(facts(path).calls)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert facts(path).is_documented


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_sql_lives_in_the_store(path: Path) -> None:
    if facts(path).has_sql:
        assert part_of(path) == "store" or name_of(path) in SQL_ELSEWHERE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_is_caught_only_where_there_is_a_reason(path: Path) -> None:
    if facts(path).catches_everything:
        assert name_of(path) in BROAD_EXCEPT


@pytest.mark.parametrize("listed", [*SQL_ELSEWHERE, *BROAD_EXCEPT])
def test_an_exception_to_the_rules_is_of_a_module_that_there_is(listed: str) -> None:
    assert (PACKAGE / listed).exists()
