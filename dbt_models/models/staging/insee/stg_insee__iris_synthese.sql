{# A wide compilation: only the columns that a variable uses go further. #}
select
    'IRIS' as zone_level,
    "code" as zone_code,
    'COG' as generation,
    _vintage as vintage,
    "code" as _zone_key,
    "P22_POP",
    "P16_POP",
    "dm_imm_pct_22",
    "dm_etr_pct_22",
    "dm_etr_pct_16",
    "men_tot_stock_22",
    "log_lochlm_pct_22",
    "rev_disp_txpauv_21",
    "rev_disp_med_21",
    "ecosi_emp_vol_26",
    "ze2020",
    _source_sha256,
    _source_member,
    _source_row
from {{ source('raw', 'insee_iris_synthese') }}
