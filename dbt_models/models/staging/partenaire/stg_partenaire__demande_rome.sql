{# Job seekers by occupation and QPV. `ns` is no zero: the number is null and `masque` is true. #}
select
    code_qpv,
    generation,
    code_rome,
    categorie,
    _vintage as vintage,
    try_cast(n_demandeurs as integer) as n_demandeurs,
    lower(trim(n_demandeurs)) = 'ns' as masque,
    try_cast(date_obs as date) as date_obs,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'partenaire_demande_rome') }}
