"""Each threshold, changed on the demonstration: what it governs moves, sentences included, and nothing else does."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from dagster_project.defs.dbt import dbt_target
from dagster_project.privacy.secrecy import rules
from dagster_project.settings import PROJECT_ROOT
from tests.graph_runs import Finished

pytestmark = pytest.mark.end_to_end

GOVERNED = {
    "c2s_estimation": "int_modele__non_recours",
    "c2s_profil": "int_modele__profils_c2s",
    "demande_histogramme": "mart_emploi_histogramme",
    "demande_metier": "int_demande__rome",
}
OTHER = 20
LAYERS = ("reference", "staging", "intermediate", "marts")


class Warehouse:
    """A copy of a finished warehouse, on which models run again under other rules."""

    def __init__(self, finished: Finished, folder: Path) -> None:
        settings = finished.home.settings
        path = folder / settings.warehouse.name  # dbt wrote the name of the file into compiled SQL
        shutil.copyfile(settings.warehouse, path)
        self.db = duckdb.connect(str(path))
        self.catalogue = pa.table(self.db.sql(f"from '{settings.derived_dir}/catalogue.parquet'").to_arrow_table())
        self._compiled = dbt_target(settings) / "compiled"
        self._schema = dict(
            self.db.execute("select table_name, table_schema from information_schema.tables").fetchall()
        )

    def ask(self, rule: str, least: int) -> None:
        self.db.execute("update reference.secrecy_rule set least_count = ? where secrecy_rule = ?", [least, rule])

    def mask(self, dataset: str, least: int) -> pa.Table:
        """The catalogue, with another bound for one dataset."""
        rows = [row | ({"masked_below": least} if row["dataset"] == dataset else {}) for row in self.told()]
        return pa.Table.from_pylist(rows, schema=self.catalogue.schema)

    def told(self) -> list[dict[str, Any]]:
        return self.catalogue.to_pylist()

    def made(self, model: str, catalogue: pa.Table | None = None) -> list[dict[str, Any]]:
        """Rows of a model, from the tables as they stand."""
        [path] = [
            each for kind in ("sql", "py") for each in (PROJECT_ROOT / "dbt_models" / "models").rglob(f"{model}.{kind}")
        ]
        if path.suffix == ".sql":
            [compiled] = self._compiled.rglob(f"models/**/{model}.sql")
            table = self.db.sql(compiled.read_text(encoding="utf-8")).to_arrow_table()
        else:
            table = self._by_python(path, self.catalogue if catalogue is None else catalogue)
        return sorted(table.to_pylist(), key=repr)

    def _by_python(self, path: Path, catalogue: pa.Table) -> pa.Table:
        def ref(name: str) -> Any:
            return SimpleNamespace(
                to_arrow_table=lambda: self.db.sql(f"from {self._schema[name]}.{name}").to_arrow_table()
            )

        def source(*name: str) -> Any:
            assert name == ("derived", "catalogue")
            return SimpleNamespace(to_arrow_table=lambda: catalogue)

        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.model(SimpleNamespace(ref=ref, source=source, config=lambda **_: None), None)


@pytest.fixture(scope="module")
def warehouse(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = Warehouse(finished, tmp_path_factory.mktemp("rules"))
    yield opened
    opened.db.close()


@pytest.fixture(scope="module")
def before(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    return {model: warehouse.made(model) for model in GOVERNED.values()}


def test_every_rule_is_tried() -> None:
    assert set(GOVERNED) == set(rules())


@pytest.mark.parametrize("rule", GOVERNED)
def test_a_rule_moves_what_it_governs_and_nothing_else(
    rule: str, warehouse: Warehouse, before: dict[str, list[dict[str, Any]]]
) -> None:
    usual = rules()[rule].least
    warehouse.ask(rule, OTHER)
    try:
        after = {model: warehouse.made(model) for model in GOVERNED.values()}
    finally:
        warehouse.ask(rule, usual)
    assert {model for model in after if after[model] != before[model]} == {GOVERNED[rule]}
    said = {row["motif"] for row in after[GOVERNED[rule]] if row.get("motif")}
    if rule.startswith("c2s_"):
        assert rules()[rule].reason.replace(str(usual), str(OTHER)) in said
        assert rules()[rule].reason not in said


def test_the_bound_of_a_partner_moves_its_likelihood_and_no_publication(
    warehouse: Warehouse, before: dict[str, list[dict[str, Any]]]
) -> None:
    told = warehouse.mask("partenaire_c2s_profils", OTHER)
    after = {model: warehouse.made(model, told) for model in GOVERNED.values()}
    assert {model for model in after if after[model] != before[model]} == {"int_modele__profils_c2s"}
    estimated = ("coefficient", "odds_ratio", "ci_low", "ci_high", "smoothed", "method", "motif")
    cells = [
        [
            {name: value for name, value in row.items() if name not in estimated}
            for row in rows
            if row["sortie"] == "prediction"
        ]
        for rows in (before["int_modele__profils_c2s"], after["int_modele__profils_c2s"])
    ]
    assert sorted(cells[0], key=repr) == sorted(cells[1], key=repr)


@pytest.mark.parametrize("dataset", ["partenaire_demande_rome", "ors_sante_iris"])
def test_the_bound_of_another_file_moves_none_of_these(
    dataset: str, warehouse: Warehouse, before: dict[str, list[dict[str, Any]]]
) -> None:
    told = warehouse.mask(dataset, OTHER)
    assert warehouse.made("int_modele__profils_c2s", told) == before["int_modele__profils_c2s"]
