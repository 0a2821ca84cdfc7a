"""One edition of a table of QPV figures: true values, what is hidden, and the published bytes."""
# ruff: noqa: PLR2004 - an edition is known by its year

from __future__ import annotations

from dataclasses import dataclass, field

from dagster_project.demo_territory import editions
from dagster_project.demo_territory.editions import LATE, Edition
from dagster_project.demo_territory.population import Bools, Counts
from dagster_project.demo_territory.writers import csv_bytes, number


@dataclass
class Table:
    """One edition: true values (rows in order, « Ensemble » last), cells to hide, and text columns."""

    edition: Edition
    codes: list[str]
    truth: Counts
    hidden: dict[str, Bools]
    texts: dict[str, list[str]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file as the producer writes it."""
        lines = [self._line(row, code) for row, code in enumerate(self.codes)]
        if self.edition.summary:
            lines.insert(0, self._line(-1, "Ensemble"))
        edition = self.edition
        pad = [""] * (edition.width - len(edition.columns))
        header = [*edition.columns, *pad]
        return csv_bytes(
            header,
            [line + pad for line in lines],
            bom=edition.bom,
            quoted=edition.quoted,
            last_line_end=edition.last_line_end,
        )

    def _line(self, row: int, code: str) -> list[str]:
        return [self._cell(column, row, code) for column in self.edition.columns]

    def _cell(self, column: str, row: int, code: str) -> str:
        summary = row < 0
        if column.lower() == "codgeo":
            return f'"{code}"' if self.edition.quoted else code
        if column in self.texts:
            return self.texts[column][row]
        if column not in self.truth:  # a note
            return self._note(column, code, summary)
        value = self.truth[column][row]
        if column in self.edition.silent if summary else column in self.hidden and self.hidden[column][row]:
            return ""
        step, decimals = _style(self.edition, column)
        if summary and decimals == 0 and step == 1 and column != "POP_MUN" and not column.startswith("DISP"):
            step = 100
            if value < step / 2:
                return ""
        plain = self.edition.plain or column in self.edition.stripped
        return number(value, decimals, step=step, thousands=self.edition.thousands, plain=plain)

    def _note(self, column: str, code: str, summary: bool) -> str:
        if summary:
            return "0" if self.edition.dataset == "insee_filosofi_qpv" else ""
        if code == LATE and self.edition.lists_late and unknown_to_late(self.edition, column):
            return ""
        return self.edition.notes.get(column, {}).get(code, "0")


def unknown_to_late(edition: Edition, note: str) -> bool:
    """Whether the source of a note does not know the QPV LATE, listed by the table: empty cells, and no note."""
    late_in = {"insee_revn": (2019, 2021), "insee_demo_plat": (2020,)}
    return note in {"NOTE_CNAF", "NOTE_CNAM"} and edition.year in late_in.get(edition.dataset, ())


def _style(edition: Edition, column: str) -> tuple[int, int]:
    """Rounding step and decimals of a column."""
    if edition.dataset == "insee_filosofi_qpv":
        stem = column.lower().removeprefix("disp_").rsplit("_a", 1)[0]
        if stem in _FILO_STYLE:
            step, decimals = _FILO_STYLE[stem]
            return step, 3 if stem == "s80s20" and edition.year < 2018 else decimals
        return 1, 1
    if column in editions.PARTS or column.endswith("D1D9") or column.startswith(_ONE_DECIMAL):
        return 1, 1
    if column.startswith(("DECUC_", "DISP_")) and edition.year == 2021:
        return 10, 0
    return (2 if column.startswith("DECUC_") else 1), 0


_ONE_DECIMAL = ("TX_", "EVOL_", "PMIMP", "PART_", "BREV", "TP60", "IND_")
_FILO_STYLE = dict.fromkeys(("q1", "q2", "q3", "med", *(f"d{rank}" for rank in range(1, 10))), (10, 0)) | {
    "gini": (1, 3),
    "s80s20": (1, 1),
    "eq": (1, 2),
}
