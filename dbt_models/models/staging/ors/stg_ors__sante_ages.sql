{# Persons covered by sex and age, in IRIS, and cases beside in régions: what standardisation needs. #}
select
    "niveau" as zone_level,
    "code" as zone_code,
    _vintage as vintage,
    "sexe" as sex,
    "cla_age_5" as age,
    {{ nombre('"n_beneficiaires"') }} as covered,
    lower(trim("n_beneficiaires")) = 'ns' as covered_masked,
    {{ nombre('"n_asthme"') }} as asthma,
    {{ nombre('"n_diabete"') }} as diabetes,
    {{ nombre('"n_ald"') }} as long_term
from {{ source('raw', 'ors_sante_iris') }}
where "sexe" != '9'
