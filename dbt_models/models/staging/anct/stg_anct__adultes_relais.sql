{# Financed posts, by contrat de ville: not a QPV figure. `id_poste` repeats within a year in the source. #}
select
    _vintage as vintage,
    id_poste as post_id,
    raison_sociale as employer_name,
    try_cast(annee as integer) as year,
    try_cast(montant as double) as amount_eur,
    nullif(code_cv, '') as contrat_de_ville_code,
    nullif(insee_dep, '') as departement_code,
    nullif(insee_reg, '') as region_code,
    _source_sha256 as source_sha256,
    _source_row as source_row
from {{ source('raw', 'anct_adultes_relais') }}
