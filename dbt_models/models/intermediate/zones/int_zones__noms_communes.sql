{#
    From a commune's name, as 2015 files write it, to its code today: names in force first, then names of
    the older code list, then names that a merger ended. A name claimed by two communes of one département
    at the same rank identifies neither.
#}
with

current_name as (
    select departement_code, commune_name, commune_code, 1 as priority
    from {{ ref('int_zones__communes') }}
    where in_force
),

merged_name as (
    select
        regexp_extract(commune_code_before, '^(97.|..)') as departement_code,
        commune_name_before as commune_name,
        commune_code_after as commune_code,
        2 as priority
    from {{ ref('stg_insee__cog_mouvements') }}
    where
        commune_type_after = 'COM'
        and commune_code_after in (select current_name.commune_code from current_name)
    qualify rank() over (partition by commune_code_before, commune_name_before order by effective_date desc) = 1
),

known_name as (
    select * from current_name
    union all
    select * from merged_name
),

ranked as (
    select
        departement_code,
        {{ cle_nom('commune_name') }} as name_key,
        commune_code,
        priority
    from known_name
    qualify rank() over (partition by departement_code, name_key order by priority) = 1
)

select departement_code, name_key, any_value(commune_code) as commune_code
from ranked
group by departement_code, name_key
having count(distinct commune_code) = 1
