{# Context only: nothing finer than the département. `999` is the whole country, sex `9` both sexes. #}
select
    "annee" as year,
    "patho_niv1" as pathology,
    "top" as pathology_code,
    "cla_age_5" as age,
    "sexe" as sex,
    "region" as region_code,
    "dept" as departement_code,
    {{ nombre('"Ntop"') }} as patients,
    {{ nombre('"Npop"') }} as covered,
    _source_sha256 as source_sha256,
    _source_row as source_row
from {{ source('raw', 'cnam_pathologies') }}
