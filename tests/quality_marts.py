"""Two small marts with invented zones, shaped like the published ones and sound in every respect."""

from __future__ import annotations

from pathlib import Path

import duckdb

_ZONES = """
select * from (
    select
        'QPV' as zone_level, 'QP096' || lpad(i::varchar, 3, '0') as zone_code, 'QP2015' as generation,
        'Quartier ' || i as name, ['96001'] as communes, '200999001' as epci, '96' as departement, '99' as region,
        1500 + 40 * i as population, repeat('x', 120)::blob as geometry
    from range(1, 31) as r(i)
    union all
    select
        'QPV', 'QN096' || lpad(i::varchar, 2, '0') || 'M', 'QN2024', 'Quartier ' || i, ['96001'], '200999001', '96',
        '99', 1600 + 40 * i, repeat('x', 120)::blob
    from range(1, 31) as r(i)
    union all
    select
        'COM', '96' || lpad(i::varchar, 3, '0'), 'COG', 'Commune ' || i, ['96001'], '200999001', '96', '99', 20000, null
    from range(1, 31) as r(i)
    union all select 'EPCI', '200999001', 'COG', 'Agglomération', ['96001'], '200999001', '96', '99', 90000, null
    union all select 'DEP', '96', 'COG', 'Département', null, null, '96', '99', 300000, null
    union all select 'REG', '99', 'COG', 'Région', null, null, null, '99', 600000, null
)
"""
# value at the middle of the zones, and how much it moves from a zone to the next
_INDICATORS = {
    "REV_TP60": (42, 0.3, "%"), "REV_MED": (13000, 20, "€/UC/an"), "REV_D1": (8000, 20, "€/UC/an"),
    "REV_Q1": (10000, 20, "€/UC/an"), "REV_Q3": (17000, 20, "€/UC/an"), "REV_D9": (22000, 20, "€/UC/an"),
    "REV_D9D1": (2.7, 0.01, "ratio"), "FILO_MED": (21500, 30, "€/UC/an"), "FILO_GINI": (0.25, 0.001, "indice"),
    "DEM_POP": (2000, 30, "habitants"), "DEM_MOINS25": (39, 0.2, "%"), "EMP_TX": (45, 0.3, "%"),
    "C2S_TX": (30, 0.2, "%"), "DE_ABC": (330, 5, "personnes"), "CAF_ALLOC": (700, 10, "foyers"),
}  # fmt: skip


def write_marts(folder: Path) -> dict[str, Path]:
    """Write `dim_zone` and `indicator_value` under `folder`; their paths by name."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in ("dim_zone", "indicator_value")}
    rows = ", ".join(f"('{code}', {middle}, {step}, '{unit}')" for code, (middle, step, unit) in _INDICATORS.items())
    with duckdb.connect() as db:
        db.execute(f"create table dim_zone as {_ZONES}")
        db.execute(f"""
            create table indicator_value as
            select
                indicator_code, zone_level, zone_code, generation, '2021' as vintage,
                (middle + step * (row_number() over zones - 15))::double as value,
                unit, null::double as numerator, null::double as denominator,
                null::double as ci_low, null::double as ci_high, null::double as n_effective, 'M0' as method,
                1.0::double as coverage, 'ok' as status, null::boolean as comparable_with_previous,
                null::varchar as model, 'année 2020' as reference_period,
                'inventé' as dataset, 'inventée' as licence,
                md5(indicator_code || zone_code) as figure_id, 'essai' as run_id
            from dim_zone, (values {rows}) as i(indicator_code, middle, step, unit)
            where zone_level in ('QPV', 'COM') and generation != 'QN2024'
            window zones as (partition by indicator_code, zone_level order by zone_code)
        """)
        db.execute("""
            update indicator_value set numerator = value * 20, denominator = 2000 where indicator_code = 'C2S_TX'
        """)
        for name, path in paths.items():
            db.execute(f"copy {name} to '{path}' (format parquet)")
    return paths
