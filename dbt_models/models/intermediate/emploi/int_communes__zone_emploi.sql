{# Zone d'emploi of each commune, from its IRIS; the file writes its four digits as a number ("56.0" for 0056). #}
with

iris as (
    select
        left(zone_code, 5) as commune,
        vintage,
        lpad(nullif(regexp_replace(ze2020, '\.0$', ''), ''), 4, '0') as zone_emploi
    from {{ ref('stg_insee__iris_synthese') }}
)

select
    commune,
    min(zone_emploi) as zone_emploi
from iris
where zone_emploi is not null
group by commune, vintage
qualify vintage = max(vintage) over (partition by commune)
