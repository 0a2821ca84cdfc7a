"""Deliberate faults of the product, each with the test that catches it: what the suite protects, shown by breaking it.

`faults.toml` lists them; `python -m tests.faults` puts each into a copy of the checkout and runs its test there.
"""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FAULTS = Path(__file__).with_name("faults.toml")
# A test that dbt plays, by its name; any other is named as pytest does.
DBT = "dbt:"


@dataclass(frozen=True)
class Fault:
    """One thing done wrong.

    Attributes:
        id: short name.
        file: where, from the root of the checkout.
        find: text that stands there exactly once.
        replace: what stands there instead.
        wrong: what the product then does wrong, one sentence.
        test: the test that catches it: an id of pytest, or `dbt:` and the name of a test of dbt.
    """

    id: str
    file: str
    find: str
    replace: str
    wrong: str
    test: str

    @property
    def room(self) -> str:
        """The part of the product it is in: a room of the package, or another folder of the checkout."""
        top, *below = Path(self.file).parts
        return below[0].removesuffix(".py") if top == "dagster_project" else top

    @property
    def dbt_test(self) -> str | None:
        """Name of the test where dbt plays it."""
        return self.test.removeprefix(DBT) if self.test.startswith(DBT) else None

    def apply(self, root: Path) -> None:
        """Put the fault into a checkout; raises ValueError where it no longer fits."""
        path = root / self.file
        content = path.read_text(encoding="utf-8")
        if content.count(self.find) != 1:
            raise ValueError(f"{self.id}: found {content.count(self.find)} times in {self.file}, expected once")
        path.unlink()  # the file may be a link to that of the checkout
        path.write_text(content.replace(self.find, self.replace), encoding="utf-8")


def load(path: Path = FAULTS) -> list[Fault]:
    """All faults, in the order of the file; raises TypeError on a key that is not one of a fault."""
    return [Fault(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]]


def problems(fault: Fault, root: Path) -> Iterator[str]:
    """Why a fault could not be shown in this checkout; nothing is run."""
    path = root / fault.file
    if not path.is_file():
        yield f"{fault.id}: {fault.file} is not there"
    elif (times := path.read_text(encoding="utf-8").count(fault.find)) != 1:
        yield f"{fault.id}: its text stands {times} times in {fault.file}, expected once"
    if fault.find == fault.replace:
        yield f"{fault.id}: it changes nothing"
    known = _dbt_tests(root) if fault.dbt_test else _tests(root / fault.test.partition("::")[0])
    name = fault.dbt_test or fault.test.partition("::")[2].partition("[")[0]
    if name not in known:
        yield f"{fault.id}: there is no test {fault.test}"


@functools.cache
def _tests(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@functools.cache
def _dbt_tests(root: Path) -> frozenset[str]:
    """Names that files of dbt give: those of unit tests are among them."""
    files = (root / "dbt_models" / "tests").rglob("*.yml")
    named = re.compile(r"^ *- name: (\w+)$", re.MULTILINE)
    return frozenset(name for path in files for name in named.findall(path.read_text(encoding="utf-8")))
