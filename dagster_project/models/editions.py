"""Standardised indices edition by edition, under the names that figures have."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.models.arrow_tables import schema_of
from dagster_project.models.standardisation import MODEL_VERSION, icm

LEVEL = 0.90
# Two-sided 90 % of a normal law: what turns a half-width into a standard error.
HALF_WIDTH = 1.6448536269514722
FIGURE = schema_of(
    "zone_level zone_code generation vintage component value:f ci_low:f ci_high:f error_sd:f observed:f expected:f "
    "crude_icm:f alpha:f beta:f masked_share:f coverage:f status model_version"
)


def icm_by_edition(cases: pa.Table, ages: pa.Table, rates: pa.Table, masked_below: int) -> pa.Table:
    """The smoothed index of every zone, with its 90 % credible interval.

    Args:
        cases: zone_level, zone_code, generation, vintage, component, observed, beneficiaries, status, coverage.
        ages: zone_level, zone_code, generation, vintage, component, sex, age, covered (null when masked): the persons
            among whom the cases of that component were counted.
        rates: vintage, component, sex, age, cases, covered: the reference.
        masked_below: least count that the partner's file shows, zero apart.

    Returns:
        Columns of FIGURE, sorted by zone, edition and component. `value` is the smoothed index, base 100; `error_sd`
        its standard error. A zone that its IRIS render too little has a status and no value.
    """
    kinds = sorted({(row["vintage"], row["component"]) for row in cases.select(["vintage", "component"]).to_pylist()})
    found = [_edition(*kind, cases, ages, rates, masked_below) for kind in kinds]
    if not found:
        return FIGURE.empty_table()
    keys = ("zone_level", "zone_code", "generation", "vintage", "component")
    return pa.concat_tables(found).cast(FIGURE).sort_by([(key, "ascending") for key in keys])


def _edition(
    vintage: str, component: str, cases: pa.Table, ages: pa.Table, rates: pa.Table, masked_below: int
) -> pa.Table:
    cases, ages, rates = (
        table.filter(pc.and_(pc.equal(table["vintage"], vintage), pc.equal(table["component"], component)))
        for table in (cases, ages, rates)
    )
    made = icm(
        cases,
        ages.rename_columns({"sex": "sexe", "age": "cla_age_5", "covered": "n_beneficiaires"}),
        rates.rename_columns({"sex": "sexe", "age": "cla_age_5", "covered": "population"}),
        masked_below,
        level=LEVEL,
    )
    keys = ["zone_level", "zone_code", "generation", "component"]
    joined = made.join(cases.select([*keys, "coverage"]), keys)
    width = pc.subtract(joined["smoothed_high"], joined["smoothed_low"])
    columns = {
        **{name: joined[name] for name in ("zone_level", "zone_code", "generation")},
        "vintage": pa.array([vintage] * joined.num_rows, pa.string()),
        "component": joined["component"],
        "value": joined["smoothed"],
        "ci_low": joined["smoothed_low"],
        "ci_high": joined["smoothed_high"],
        "error_sd": pc.divide(width, 2 * HALF_WIDTH),
        **{name: joined[name] for name in ("observed", "expected")},
        "crude_icm": joined["icm"],
        **{name: joined[name] for name in ("alpha", "beta", "masked_share", "coverage", "status")},
        "model_version": pa.array([MODEL_VERSION] * joined.num_rows, pa.string()),
    }
    return pa.table(columns)
