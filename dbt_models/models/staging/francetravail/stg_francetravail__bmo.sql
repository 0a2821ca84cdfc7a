{# Recruitment projects by employment basin; `*`, too few to be told, is no zero and stays null. #}
select
    "Code métier BMO" as code_metier,
    "Nom métier BMO" as metier,
    "BE24" as code_bassin,
    "NOMBE24" as bassin,
    lpad("Dept", 2, '0') as departement_code,
    lpad("REG", 2, '0') as region_code,
    try_cast(annee as integer) as annee,
    {{ nombre('met') }} as projets,
    {{ nombre('xmet') }} as projets_difficiles,
    {{ nombre('smet') }} as projets_saisonniers,
    trim(met) = '*' as masque,
    _vintage as vintage,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'francetravail_bmo') }}
