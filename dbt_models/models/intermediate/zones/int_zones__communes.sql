{# Communes in force, then those of the older code list that are gone: old vintages still name them. #}
with

commune as (
    select * from {{ ref('stg_insee__cog_communes') }}
    where commune_type = 'COM'
),

latest as (
    select max(vintage) as vintage from commune
),

membership as (
    select commune_code, any_value(epci_code) as epci_code
    from {{ ref('stg_dgcl__epci') }}
    group by commune_code
)

select
    commune.commune_code,
    commune.commune_name,
    commune.departement_code,
    commune.region_code,
    membership.epci_code,
    commune.vintage = latest.vintage as in_force,
    commune.source_sha256,
    commune.source_member,
    commune.source_row
from commune
cross join latest
left join membership using (commune_code)
qualify row_number() over (partition by commune.commune_code order by commune.vintage desc) = 1
