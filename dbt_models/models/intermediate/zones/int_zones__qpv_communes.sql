{# QPV × commune. A commune that could not be recognised has a null code: unknown, never left out. #}
with

name_part as (
    select
        qpv_code,
        generation,
        departement_code,
        unnest(string_split(commune_names, ',')) as commune_name
    from {{ ref('stg_anct__qpv_2015') }}
),

{# Arrondissements ("Paris 19ème et 18ème arrondissements", then fragments such as "14ème") are their city's. #}
cleaned as (
    select
        qpv_code,
        generation,
        departement_code,
        regexp_replace(trim(commune_name), '^(Paris|Lyon|Marseille) +\d.*$', '\1') as commune_name
    from name_part
    where trim(commune_name) != '' and not regexp_matches(trim(commune_name), '^\d+(er|e|ème)\b')
),

of_2015 as (
    select distinct
        cleaned.qpv_code,
        cleaned.generation,
        cleaned.commune_name,
        known.commune_code
    from cleaned
    left join {{ ref('int_zones__noms_communes') }} as known
        on
            cleaned.departement_code = known.departement_code
            and {{ cle_nom('cleaned.commune_name') }} = known.name_key
),

of_2024 as (
    select distinct
        qpv_code,
        generation,
        cast(null as varchar) as commune_name,
        trim(unnest(string_split(commune_codes, ','))) as commune_code
    from {{ ref('stg_anct__qpv_2024') }}
)

select * from of_2015
union all
select * from of_2024
