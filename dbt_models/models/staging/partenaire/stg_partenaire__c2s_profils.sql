{#
    Persons entitled to the C2S and persons who have it, by household profile and QPV. `ns` is no zero:
    the number is null and `…_masques` is true.
#}
select
    code_zone,
    generation,
    annee,
    type_menage,
    tranche_age,
    statut_occupation,
    try_cast(n_eligibles as integer) as n_eligibles,
    try_cast(n_beneficiaires as integer) as n_beneficiaires,
    lower(trim(n_eligibles)) = 'ns' as eligibles_masques,
    lower(trim(n_beneficiaires)) = 'ns' as beneficiaires_masques,
    _vintage as vintage,
    _source_sha256 as source_sha256,
    _source_member as source_member,
    _source_row as source_row
from {{ source('raw', 'partenaire_c2s_profils') }}
