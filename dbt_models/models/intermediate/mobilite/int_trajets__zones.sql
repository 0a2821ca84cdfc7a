{#
    From each zone to each workplace place (IRIS): what share of the zone's people get there within each time, by each
    mode, how long it takes them, and how much each place counts for them. Shares are weighted over the zone's origins;
    a car trip bears the minutes that it takes to park and walk at its end.
#}
with

trip as (
    select
        zone_level,
        zone_code,
        generation,
        origin_rank,
        destination_id,
        {% for mode in modes() -%}
            any_value(
                (seconds {{ '+ 60 * ' ~ var('stationnement_min') if mode == 'voiture' }}) / 60
            ) filter (where mode = '{{ mode }}' and moment = 'aller') as {{ mode }}_min,
        {% endfor -%}
        any_value(seconds_p25 / 60) filter (where mode = 'tc' and moment = 'aller') as tc_p25_min,
        any_value(seconds_p75 / 60) filter (where mode = 'tc' and moment = 'aller') as tc_p75_min,
        any_value(seconds / 60) filter (where mode = 'tc' and moment = 'retour') as tc_retour_min
    from {{ source('derived', 'travel_times') }}
    where kind = 'lieux_emploi'
    group by all
),

weighed as (
    select
        trip.*,
        origin.weight
    from trip
    inner join {{ source('derived', 'origins') }} as origin
        using (zone_level, zone_code, generation, origin_rank)
)

select
    zone_level,
    zone_code,
    generation,
    destination_id as iris_code,
    {% for mode in modes() %}
        {% for seuil in seuils_min() -%}
            {{ somme_origines('weight', mode ~ '_min <= ' ~ seuil) }}
                as {{ mode }}_{{ seuil }}_part,
        {% endfor -%}
        {{ somme_origines('weight', mode ~ '_min is not null') }} as {{ mode }}_part,
        {{ somme_origines('weight * ' ~ mode ~ '_min') }} as {{ mode }}_min,
        {{ somme_origines('weight * exp(-' ~ var('impedance_par_min') ~ ' * ' ~ mode ~ '_min)') }}
            as {{ mode }}_attrait,
    {% endfor -%}
    {{ somme_origines('weight * tc_p25_min', 'tc_p75_min is not null') }} as tc_p25_min,
    {{ somme_origines('weight * tc_p75_min') }} as tc_p75_min,
    {{ somme_origines('weight', 'tc_p75_min is not null') }} as tc_quartiles_part,
    {{ somme_origines('weight', 'tc_retour_min is not null') }} as tc_retour_part,
    {{ somme_origines('weight * tc_retour_min') }} as tc_retour_min,
    {# The two modes of the ratio are compared on the trips that both can make. #}
    {{ somme_origines('weight * tc_min', 'voiture_min is not null') }} as ratio_tc_min,
    {{ somme_origines('weight * voiture_min', 'tc_min is not null') }} as ratio_voiture_min
from weighed
group by zone_level, zone_code, generation, destination_id
