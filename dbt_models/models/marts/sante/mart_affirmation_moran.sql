{# Do neighbours look alike? #}
select
    mesh, index_code, n_zones, n_islands, n_without_value, moran_i, expected_i, z, p, draws, seed,
    lisa_haut_haut, lisa_bas_haut, lisa_bas_bas, lisa_haut_bas, status, model_version
from {{ ref('int_modele__claims') }}
where sortie = 'moran'
order by mesh, index_code
