{#
    IRIS of the contours, each in its commune in force, with its unité urbaine and its population. Communes merged since
    the contours were drawn give way to what they became.
#}
with

successor as (
    select
        move.commune_code_before as commune_code,
        move.commune_code_after
    from {{ ref('stg_insee__cog_mouvements') }} as move
    inner join {{ ref('int_zones__communes') }} as today on move.commune_code_after = today.commune_code
    where move.commune_type_after = 'COM' and today.in_force
    qualify row_number() over (partition by move.commune_code_before order by move.effective_date desc) = 1
),

unite_urbaine as (
    select commune_code, min(unite_urbaine_code) as unite_urbaine_code
    from {{ ref('stg_insee__iris_reference') }}
    group by commune_code
),

population as (
    select
        zone_code as iris_code,
        {{ nombre('"P22_POP"') }} as population_hab,
        "P22_POP" as population_text,
        _source_sha256 as population_sha256,
        _source_member as population_member,
        _source_row as population_row
    from {{ ref('stg_insee__iris_synthese') }}
),

iris as (
    select
        drawn.*,
        case
            when known.in_force then drawn.commune_code else coalesce(successor.commune_code_after, drawn.commune_code)
        end as current_commune_code
    from {{ ref('stg_ign__contours_iris') }} as drawn
    left join {{ ref('int_zones__communes') }} as known using (commune_code)
    left join successor using (commune_code)
)

select
    iris.iris_code,
    iris.iris_name,
    iris.current_commune_code as commune_code,
    commune.epci_code,
    commune.departement_code,
    commune.region_code,
    unite_urbaine.unite_urbaine_code,
    population.population_hab,
    population.population_text,
    population.population_sha256,
    population.population_member,
    population.population_row,
    iris.source_sha256,
    iris.source_member,
    iris.source_row
from iris
left join {{ ref('int_zones__communes') }} as commune on iris.current_commune_code = commune.commune_code
left join unite_urbaine on iris.commune_code = unite_urbaine.commune_code
left join population using (iris_code)
