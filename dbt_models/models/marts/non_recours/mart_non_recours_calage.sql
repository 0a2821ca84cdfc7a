{# How each method is set to the nation, tier by tier: what it gives before, what it must give, the factor between. #}
select
    vintage,
    methode,
    tier,
    part_non_calee,
    part_nationale,
    facteur,
    model_version
from {{ ref('int_modele__non_recours') }}
where sortie = 'calage'
order by vintage, methode, tier
