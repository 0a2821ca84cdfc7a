{# A QPV on several communes is repeated, once per commune, with the same figures: its first row is kept. #}
select
    'QPV' as zone_level,
    trim("codeQPV") as zone_code,
    'QN2024' as generation,
    _vintage as vintage,
    "codeQPV" as _zone_key,
    {{ cellule_completee('anct_analyse_qpv', 'COG') }} as commune_code,
    * exclude (_vintage, "codeQPV")
from {{ source('raw', 'anct_analyse_qpv') }}
qualify row_number() over (partition by trim("codeQPV") order by _source_row) = 1
