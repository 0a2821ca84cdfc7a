{# The whole country, by year of count. `mesure` is total, np (without participation) or p (with participation). #}
select
    "annee" as vintage,
    "mesure" as mesure,
    {{ nombre('"beneficiaires"') }} as beneficiaires,
    {{ nombre('"non_recours_pct"') }} as non_recours,
    {{ nombre('"population"') }} as population,
    "source" as source,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'drees_c2s_national') }}
