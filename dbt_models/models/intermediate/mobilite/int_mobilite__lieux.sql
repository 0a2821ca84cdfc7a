{# Places of work: the employer establishments of each IRIS, and the zone d'emploi that it belongs to. #}
select
    observation.zone_code as iris_code,
    observation.value as employeurs_nb,
    nullif(regexp_replace(iris.ze2020, '\.0$', ''), '') as zone_emploi
from {{ ref('observation') }} as observation
inner join {{ ref('stg_insee__iris_synthese') }} as iris
    on observation.zone_code = iris.zone_code and observation.vintage = iris.vintage
where observation.variable = 'iris_employeurs' and observation.value is not null
