{# Zones d'emploi in which a zone stands: those of its communes, more than one where it straddles a border. #}
with

zone as (
    select {{ cle_zone() }}, unnest(communes) as commune
    from {{ ref('dim_zone') }}
    where zone_level in ('QPV', 'HQPV', 'COM')
)

select distinct
    {{ cle_zone('zone') }},
    home.zone_emploi
from zone
inner join {{ ref('int_communes__zone_emploi') }} as home using (commune)
