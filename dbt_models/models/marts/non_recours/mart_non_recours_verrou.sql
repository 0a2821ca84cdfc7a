{# The national check that comes before any figure of the theme: its inputs, its result, whether it holds. #}
select
    vintage,
    entree,
    valeur,
    unite,
    citation,
    conforme,
    model_version
from {{ ref('int_modele__non_recours') }}
where sortie = 'verrou'
order by vintage, entree
