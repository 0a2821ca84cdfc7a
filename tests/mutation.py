"""Lineage proven by mutation: change source cells, rebuild from the changed bytes, and see which figures move.

Cells are drawn at random, some among those that `figure_input` names, some among all cells of all files. Cells whose
predicted figures are disjoint are changed together, so that one rebuild judges many of them: a figure that moves
must be predicted by exactly one changed cell, and every predicted figure must move.

Figures brought from other geographies (M1 to M3) also hang on weights. The population cells that set them
(`crosswalk_input`) may move the figures of their zones and need not: a QPV that already takes the whole of an IRIS
takes no more of it. Codes in perimeters, contours and lists of zones make the crosswalk: what they move among these
figures is counted apart, and is no part of the proof. Figures of a model (M4) are ranks among all zones: any cell may
move any of them, so they are left out.

`python -m tests.mutation --home DQ_HOME` does it on a finished run and writes docs/lineage-mutation.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.release.places import building_path
from dagster_project.settings import PROJECT_ROOT, Settings, load_settings
from dagster_project.sources.catalogue import Dataset, load_catalogue
from scripts.generate import themes
from tests.cells import Cell, change_cells

# A record of these may span several lines, which the writer of changed cells does not do.
SPANNING = {"francetravail_offres_plat"}
WRITABLE = {"csv", "shapefile", "geojson", "xlsx", "parquet"}
# Sources whose codes and names make the crosswalk; of the synthesis by IRIS, these columns.
GEOGRAPHY = ("anct_qpv", "dgcl_epci", "etalab_contours", "ign_contours", "insee_cog", "insee_iris_reference")
ZONING = {"insee_iris_synthese": {"code", "COM", "dep", "reg", "uu2020"}, "cstb_bdnb_logements": {"x", "y"}}
REPORTED = "method in ('M1', 'M2', 'M3')"
DOCUMENT = PROJECT_ROOT / "docs" / "lineage-mutation.md"
NATIONAL = "drees_c2s_national"
TECHNICAL = re.compile(r"^(_.*|geometry.*)$")
SHOWN = 10
# Cells of the formula, and those by which the zone of the figure exists.
INPUTS = """
    select input.figure_id, input.role, input.dataset, input.source_sha256, input.source_member, input.source_row,
        input.source_column, input.raw_value
    from marts.figure_input as input inner join marts.indicator_value as figure using (figure_id)
    where figure.method != 'M4'
    union all
    select figure.figure_id, 'zone', zone.dataset, zone.source_sha256, zone.source_member, zone.source_row,
        zone.source_column, zone.raw_value
    from marts.indicator_value as figure inner join marts.zone_input as zone using (zone_level, zone_code, generation)
    where figure.method != 'M4'
"""


@dataclass(frozen=True)
class Mutation:
    """One changed cell, the figures that the lineage says depend on it, and those that may move by their weights."""

    cell: Cell
    roles: tuple[str, ...]
    new: str
    predicted: frozenset[str]
    possible: frozenset[str] = frozenset()
    zoning: bool = False


@dataclass(frozen=True)
class _Drawn:
    """A cell by its address in the lineage."""

    dataset: str
    sha256: str
    member: str
    row: int
    column: str
    text: str


@dataclass
class Proof:
    """What was changed and what moved. The lineage is exact when `missing` and `extra` are empty."""

    mutations: list[Mutation]
    batches: int = 0
    moved: set[str] = field(default_factory=set)
    born: set[str] = field(default_factory=set)
    weighed: set[str] = field(default_factory=set)
    missing: list[tuple[str, str]] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def roles(self) -> Counter[str]:
        return Counter(role for mutation in self.mutations for role in mutation.roles or ("aucun",))


def prove(
    base: Settings, work: Path, *, from_lineage: int, from_anywhere: int, seed: int, batches: int | None = None
) -> Proof:
    """Draw cells of the finished run in `base`, change them in copies of its sources below `work`, and compare.

    `batches` bounds the rebuilds, to those that judge most cells.
    """
    fullest = sorted(disjoint(draw(base, from_lineage, from_anywhere, seed)), key=len, reverse=True)[:batches]
    proof = Proof([mutation for batch in fullest for mutation in batch])
    for number, batch in enumerate(fullest):
        settings = _copy(base, work / f"batch{number}")
        for dataset in load_catalogue().values():
            changes = [(m.cell, m.new) for m in batch if m.cell.dataset == dataset.id]
            change_cells(_sources(settings), dataset, changes)
        rebuild(settings)
        moved = moved_figures(base.warehouse, building_path(settings))
        expected = {figure: m for m in batch for figure in m.predicted}
        born = predicted_births(base.warehouse, building_path(settings), batch)
        proof.batches += 1
        proof.moved |= moved
        proof.born |= moved & born
        possible = {figure for m in batch for figure in m.possible}
        proof.weighed |= (moved & possible) - expected.keys()
        proof.missing += [(figure, str(expected[figure].cell)) for figure in sorted(expected.keys() - moved)]
        proof.extra += sorted(moved - expected.keys() - born - possible)
        shutil.rmtree(settings.home)
    return proof


def draw(base: Settings, from_lineage: int, from_anywhere: int, seed: int) -> list[Mutation]:
    """Distinct cells: those of the lineage evenly over roles and datasets, the others evenly over datasets."""
    rng = np.random.default_rng(seed)
    with duckdb.connect(str(base.warehouse), read_only=True) as connection:
        connection.execute(f"create temp view input as {INPUTS}")
        drawn = [*_of_lineage(connection, rng, from_lineage), *_of_anywhere(base, rng, from_anywhere)]
        return [_mutation(connection, cell, _paths(base)) for cell in dict.fromkeys(drawn)]


def _of_lineage(connection: Any, rng: np.random.Generator, count: int) -> Iterator[_Drawn]:
    # What models are set to moves their figures alone, which are not compared, and a changed population is refused.
    kinds = connection.execute(
        "select distinct dataset, role from input where source_row is not null and dataset != ? order by all",
        [NATIONAL],
    ).fetchall()
    share = -(-count // len(kinds))
    for dataset, role in kinds:
        rows = connection.execute(
            """select distinct source_sha256, source_member, source_row, source_column, raw_value
            from input
            where dataset = ? and role = ? and source_row is not null order by all""",
            [dataset, role],
        ).fetchall()
        for i in rng.choice(len(rows), min(share, len(rows)), replace=False):
            sha256, member, row, column, text = rows[i]
            yield _Drawn(dataset, sha256, member, row, column, text)


def _of_anywhere(base: Settings, rng: np.random.Generator, count: int) -> Iterator[_Drawn]:
    known = load_catalogue().values()
    datasets = [dataset for dataset in known if dataset.format in WRITABLE and dataset.id not in {*SPANNING, NATIONAL}]
    share = -(-count // len(datasets))
    for dataset in datasets:
        raw = str(base.raw_dir / f"{dataset.id}.parquet")
        described = duckdb.execute("describe select * from read_parquet(?)", [raw]).fetchall()
        # A partner's file with a row twice is refused: its keys are changed from the lineage alone.
        kept_out = set(dataset.key) if dataset.convention else set()
        columns = [name for name, *_ in described if not TECHNICAL.match(name) and name not in kept_out]
        (rows,) = duckdb.execute("select count(*) from read_parquet(?)", [raw]).fetchone() or (0,)
        if not rows:  # a source that may be absent, and is
            continue
        for offset, pick in zip(rng.integers(rows, size=share), rng.random(share), strict=True):
            record = duckdb.execute(
                f"select _source_sha256, _source_member, _source_row, {', '.join(f'{_quoted(c)}' for c in columns)} "
                "from read_parquet(?) limit 1 offset ?",
                [raw, int(offset)],
            ).fetchone()
            assert record is not None
            present = [(name, text) for name, text in zip(columns, record[3:], strict=True) if text is not None]
            column, text = present[int(pick * len(present))]
            yield _Drawn(dataset.id, record[0], record[1], record[2], column, text)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _mutation(connection: Any, cell: _Drawn, paths: dict[tuple[str, str], str]) -> Mutation:
    found = connection.execute(
        """select figure_id, role from input
        where source_sha256 = ? and source_member = ? and source_row = ? and source_column = ?""",
        [cell.sha256, cell.member, cell.row, cell.column],
    ).fetchall()
    roles = tuple(sorted({role for _, role in found}))
    path = paths[cell.sha256, cell.member.split("#")[0]]
    located = Cell(cell.dataset, path, cell.row, cell.column, cell.text)
    figures = frozenset(figure for figure, _ in found)
    zoning = cell.dataset.startswith(GEOGRAPHY) or cell.column in ZONING.get(cell.dataset, set())
    zoning |= bool({"key", "zone"} & set(roles))
    possible = _possible(connection, cell, zoning=zoning) - figures
    return Mutation(located, roles, other_text(cell.text, roles), figures, possible, zoning)


def _possible(connection: Any, cell: _Drawn, *, zoning: bool) -> frozenset[str]:
    """Figures brought from other geographies whose weights the cell may change."""
    if zoning:
        query, parameters = f"select figure_id from marts.indicator_value where {REPORTED}", []
    else:
        query = f"""select figure_id from marts.indicator_value
            semi join (
                from marts.crosswalk_input where source_sha256 = ? and source_row = ? and source_column = ?
            ) as link using (zone_level, zone_code, generation) where {REPORTED}"""
        parameters = [cell.sha256, cell.row, cell.column]
    return frozenset(figure for (figure,) in connection.execute(query, parameters).fetchall())


def other_text(text: str, roles: Sequence[str]) -> str:
    """A text of the same kind that cannot mean the same: another number, another note, a code that no zone bears."""
    if "note" in roles:
        return "5" if text.strip() in {"0", "1"} else "0"
    if {"key", "zone"} & set(roles):
        # codes that differ by their last character must not become one
        return f"{text[:-3]}{hashlib.sha256(text.encode()).hexdigest()[:2].upper()}Z"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text[:8] + ("15" if text[8:] != "15" else "16")
    if digits := list(re.finditer(r"\d", text)):
        place = digits[-1].start()
        return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    if text.strip().lower() in {"", "ns", "nd"} and roles:
        return "7"
    return text[:-1] + ("x" if text[-1:] != "x" else "y")


def disjoint(mutations: Sequence[Mutation]) -> list[list[Mutation]]:
    """Batches in which no figure is predicted twice; largest predictions are placed first."""
    batches: list[list[Mutation]] = []
    taken: list[set[str]] = []
    for mutation in sorted(mutations, key=lambda m: -len(m.predicted)):
        place = next((i for i, figures in enumerate(taken) if not figures & mutation.predicted), len(batches))
        if place == len(batches):
            batches.append([])
            taken.append(set())
        batches[place].append(mutation)
        taken[place] |= mutation.predicted
    return batches


def rebuild(settings: Settings) -> None:
    """From the bytes to the figures by the product's own readers and models; checks, which would refuse, left out."""
    from dagster_project.defs.dbt_project import PARTIAL_PARSE, invoke_dbt
    from dagster_project.models.nonrecours.estimate import non_recours
    from dagster_project.models.nonrecours.profils.model import profils
    from dagster_project.models.parameters import Parameters
    from dagster_project.sources.raw import build_raw

    with mock.patch("dagster_project.sources.raw._stop_on_failure"):
        for dataset in load_catalogue().values():
            build_raw(_unsealed(dataset), settings)
    target = settings.derived_dir / "dbt"
    target.mkdir()
    if PARTIAL_PARSE.exists():  # spares a full parse
        shutil.copyfile(PARTIAL_PARSE, target / PARTIAL_PARSE.name)
    building_path(settings).parent.mkdir(parents=True, exist_ok=True)
    # No figure descends from the tests of claims, which refuse a QPV without a population.
    left_out = ["--exclude", "int_modele__claims+", "--exclude-resource-type", "test", "unit_test"]
    # Figures of models are not compared: one draw of their uncertainty is as good as a thousand, and those of
    # non-take-up, which refuse what checks would have refused before, are made of no zone.
    with (
        mock.patch("dagster_project.models.vulnerabilite.Parameters", return_value=Parameters(draws=1)),
        mock.patch("dagster_project.models.nonrecours.estimate.non_recours", _of_no_zone(non_recours)),
        mock.patch("dagster_project.models.nonrecours.profils.model.profils", _of_no_zone(profils)),
    ):
        error = invoke_dbt(["build", *left_out], settings, target)
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    failed = [f"{r['unique_id']}: {r['message']}" for r in results if r["status"] != "success"]
    if error or failed:
        raise AssertionError(f"the changed sources could not be rebuilt: {error} {failed}")


def _of_no_zone(model: Callable[..., Any]) -> Callable[..., Any]:
    """The model, of empty tables but for those that the repository holds."""
    kept = ("regles", "menages")

    def emptied(given: Any) -> Any:
        return given.slice(0, 0) if isinstance(given, pa.Table) else given

    def made(*given: Any, **named: Any) -> Any:
        rest = {name: value if name in kept else emptied(value) for name, value in named.items()}
        return model(*map(emptied, given), **rest)

    return made


def _unsealed(dataset: Dataset) -> Dataset:
    """The same entry without the digests of its files, which the changed ones no longer have."""
    content = dataset.model_dump(mode="json")
    for vintage in content["vintages"]:
        for file in vintage["files"]:
            file["sha256"] = None
    return Dataset.model_validate(content)


def moved_figures(before: Path, after: Path) -> set[str]:
    """Figures whose published value or status, or one of whose terms or addresses, is not the same in both builds.

    Terms count by themselves: a term may change while another one still withholds the figure.
    """
    signature = """
        select figure.figure_id, figure.value, figure.numerator, figure.denominator, figure.status,
            term.signature, zone.source_member, zone.source_row, zone.source_column
        from {db}.marts.indicator_value as figure
        inner join (
            select concat_ws('.', indicator_code, zone_level, zone_code, generation, vintage) as figure_id,
                list((role, variable, value, status, source_row, source_column) order by role, variable) as signature
            from (
                select indicator_code, zone_level, zone_code, generation, vintage, role, variable, value, status,
                    source_row, source_column
                from ({terms})
                union all
                select indicator_code, zone_level, zone_code, generation, vintage, role,
                    concat_ws(':', unit_code, variable), value, status, source_row, source_column
                from {db}.intermediate.int_termes__sante_crosswalk
                union all
                select indicator_code, zone_level, zone_code, generation, vintage, role,
                    concat_ws(':', unit_code, variable, base_variable), base_value, status, base_source_row,
                    base_source_column
                from {db}.intermediate.int_termes__sante_crosswalk where base_variable is not null
            ) group by all
        ) as term using (figure_id)
        left join {db}.marts.dim_zone as zone using (zone_level, zone_code, generation)
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{before}' as a (read_only)")
        connection.execute(f"attach '{after}' as b (read_only)")
        summed = themes()["formula"]
        sides = [
            signature.format(
                db=db,
                terms=" union all ".join(f"select * from {db}.intermediate.int_termes__{theme}" for theme in summed),
            )
            for db in ("a", "b")
        ]
        only = [f"(select * from ({x}) except select * from ({y}))" for x, y in (sides, reversed(sides))]
        rows = connection.execute(" union ".join(f"select figure_id from {query}" for query in only)).fetchall()
    return {row[0] for row in rows}


def predicted_births(before: Path, after: Path, batch: Sequence[Mutation]) -> set[str]:
    """Figures that exist only in the rebuilt tables and that its own lineage traces to one of the changed cells.

    A changed code in a list of zones makes a zone that the first build could not know, and what QPV leave of it.
    """
    with duckdb.connect(str(after), read_only=True) as connection:
        connection.execute(f"create temp view input as {INPUTS}")
        connection.execute(f"attach '{before}' as before (read_only)")
        found: set[str] = set()
        for mutation in batch:
            rows = connection.execute(
                """select distinct figure_id from input
                where dataset = ? and split_part(source_member, '#', 1) = ? and source_row = ? and source_column = ?
                    and figure_id not in (select figure_id from before.marts.indicator_value)""",
                [mutation.cell.dataset, Path(mutation.cell.path).name, mutation.cell.row, mutation.cell.column],
            ).fetchall()
            found |= {row[0] for row in rows}
            if mutation.zoning:
                known = "select figure_id from before.marts.indicator_value"
                reported = (
                    f"select figure_id from marts.indicator_value where {REPORTED} and figure_id not in ({known})"
                )
                found |= {row[0] for row in connection.execute(reported).fetchall()}
    return found


def _paths(base: Settings) -> dict[tuple[str, str], str]:
    """Digest and name of each source file (two may have the same bytes) to its path in the mirror."""
    found = {}
    for manifest in base.raw_dir.glob("*.json"):
        for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
            found |= {(part["sha256"], part["name"]): part["url"].split(":", 1)[1] for part in file["parts"]}
    return found


def _sources(settings: Settings) -> Path:
    return settings.demo_mirror if settings.sources == "demo" else Path(settings.mirror or "")


def _copy(base: Settings, home: Path) -> Settings:
    """A home with the same raw and derived tables, and its own copy of the sources to change."""
    (home / "derived").mkdir(parents=True)
    shutil.copytree(base.raw_dir, home / "raw")
    for path in base.derived_dir.glob("*.parquet"):
        shutil.copyfile(path, home / "derived" / path.name)
    mirror = home / "demo"
    for path in set(_paths(base).values()):
        (mirror / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_sources(base) / path, mirror / path)
    if base.sources == "demo":
        shutil.copyfile(base.demo_mirror / "generateur.json", mirror / "generateur.json")
        return Settings(home=home, sources="demo")
    return Settings(home=home, sources="mirror", mirror=str(mirror), territory=base.territory)


def report(base: Settings, proof: Proof, seed: int) -> str:
    """The document: what was changed, what moved."""
    used = [m for m in proof.mutations if m.predicted]
    datasets = Counter(m.cell.dataset for m in proof.mutations)
    lines = [
        "# Lineage proven by mutation",
        "",
        f"Written by `python -m tests.mutation` on {datetime.now(UTC):%Y-%m-%d}: sources `{base.sources}`, territory "
        f"`{base.territory}`, seed {seed}.",
        "",
        f"{len(proof.mutations)} cells of the producers' files were changed, in {proof.batches} batches whose "
        "predicted figures are disjoint; each batch was read and built again from the changed bytes.",
        "",
        "| | |",
        "|---|---:|",
        f"| cells changed | {len(proof.mutations)} |",
        f"| of which named by the lineage | {len(used)} |",
        f"| figures predicted to move | {sum(len(m.predicted) for m in used):,} |",
        f"| figures that moved | {len(proof.moved):,} |",
        f"| of which born of a code that no zone bore, as the rebuilt lineage says | {len(proof.born):,} |",
        f"| moved by weights alone, or by the crosswalk that codes make (figures M1 to M3) | {len(proof.weighed):,} |",
        f"| predicted, and did not move | {len(proof.missing)} |",
        f"| moved, and not predicted | {len(proof.extra)} |",
        "",
        "A figure moves when its value or status changes, or when one of its terms does while another still withholds",
        "it, or when it is read from another row.",
        "",
        "Figures brought from other geographies also hang on weights: the population cells that set them, and the",
        "codes that make the crosswalk, are no cells of the figure. What they move is counted apart. Figures of a",
        "model (M4) are ranks among all zones and are left out.",
        "",
        "| role in the lineage | cells |",
        "|---|---:|",
        *(f"| {role} | {count} |" for role, count in sorted(proof.roles.items())),
        "",
        "| dataset | cells |",
        "|---|---:|",
        *(f"| {name} | {count} |" for name, count in sorted(datasets.items())),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Entry point; 0 when the lineage is exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="DQ_HOME of a finished run")
    parser.add_argument("--from-lineage", type=int, default=220)
    parser.add_argument("--from-anywhere", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    base = load_settings(home=options.home)
    with tempfile.TemporaryDirectory(prefix="dq-mutation-") as work:
        proof = prove(
            base,
            Path(work),
            from_lineage=options.from_lineage,
            from_anywhere=options.from_anywhere,
            seed=options.seed,
        )
    print(report(base, proof, options.seed))
    print(f"missing: {proof.missing[:SHOWN]}\nextra: {proof.extra[:SHOWN]}", file=sys.stderr)
    if not (proof.missing or proof.extra):
        DOCUMENT.write_text(report(base, proof, options.seed), encoding="utf-8")
    return 1 if proof.missing or proof.extra else 0


if __name__ == "__main__":
    sys.exit(main())
