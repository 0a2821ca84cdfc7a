{# Job seekers by occupation and territory, categories A, B and C. A count not given stays null: it is no zero. #}
select
    "codeTypeTerritoire" as code_type_territoire,
    "codeTerritoire" as code_territoire,
    "codeRome" as code_rome,
    'ABC' as categorie,
    "periode" as periode,
    _vintage as vintage,
    "valeur" as valeur,
    try_cast(try_cast("valeur" as double) as integer) as n_demandeurs,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'francetravail_marche') }}
