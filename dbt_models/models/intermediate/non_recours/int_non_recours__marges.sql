{#
    Known make-up of the households of a zone, in per cent, each from its latest edition: what synthetic households are
    set to. A margin that no source gives is empty, and the national one stands.
#}
with

figure as (
    select indicator_code, zone_level, zone_code, generation, vintage, value
    from {{ ref('int_indicateurs__population') }}
    union all
    select indicator_code, zone_level, zone_code, generation, vintage, value
    from {{ ref('int_indicateurs__sante_crosswalk') }}
),

latest as (
    select * from figure
    where
        indicator_code in ('DEM_MEN1', 'DEM_MEN6', 'DEM_MOINS25', 'DEM_60PLUS', 'A_HLM')
        and zone_level in ('QPV', 'HQPV', 'COM', 'EPCI')
        and value is not null
    qualify vintage = max(vintage) over (partition by indicator_code, zone_level, zone_code, generation)
)

select * from latest
