{#
    Posts that the job seekers of a zone look for, by ROME and road distance. A ROME that fewer seekers than the
    threshold look for is told with its grand domaine, and a grand domaine still under it with all those in its case
    (`*`); what stays under it is masked. Where the number of seekers is not known, nothing shows that there are enough.
#}
with

zone as (
    select distinct {{ cle_zone() }}, vintage from {{ ref('int_acces__zone_rome') }}
),

demand as (
    select
        {{ cle_zone('demand') }},
        demand.code_rome,
        demand.grand_domaine,
        coalesce(demand.n_demandeurs, 0) as n_demandeurs,
        coalesce(demand.n_demandeurs, 0) >= {{ effectif_minimal('demande_histogramme') }} as alone,
        demand.status
    from {{ ref('int_demande__rome') }} as demand
    where demand.poids > 0
),

by_domain as (
    select
        *,
        sum(n_demandeurs) over (
            partition by {{ cle_zone() }}, grand_domaine, alone
        ) >= {{ effectif_minimal('demande_histogramme') }} as in_domain
    from demand
),

grouped as (
    select
        *,
        case when alone then code_rome when in_domain then grand_domaine else '*' end as groupe
    from by_domain
),

published_group as (
    select
        {{ cle_zone() }},
        groupe,
        any_value(case when alone then 'rome' when in_domain then 'grand_domaine' else 'autres' end) as maille,
        sum(1) as n_romes,
        if(
            sum(n_demandeurs) >= {{ effectif_minimal('demande_histogramme') }}, any_value(status), 'secret_primaire'
        ) as status
    from grouped
    group by {{ cle_zone() }}, groupe
),

bin as (
    {% for borne in var('tranches_km')[:-1] %}
        select {{ loop.index }} as rang, {{ borne }} as km_min, {{ var('tranches_km')[loop.index] }} as km_max
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

posts as (
    select
        {{ cle_zone('offer') }},
        offer.vintage,
        grouped.groupe,
        bin.rang,
        sum(offer.postes) as postes
    from {{ ref('int_acces__zone_rome_lieu') }} as offer
    inner join grouped using (zone_level, zone_code, generation, code_rome)
    inner join bin
        on
            offer.km >= bin.km_min
            and (offer.km < bin.km_max or (offer.km = bin.km_max and bin.km_max = {{ var('tranches_km')[-1] }}))
    group by all
)

select
    {{ cle_zone('zone') }},
    zone.vintage,
    published_group.groupe,
    published_group.maille,
    cast(published_group.n_romes as integer) as n_romes,
    cast(bin.rang as integer) as rang,
    cast(bin.km_min as double) as km_min,
    cast(bin.km_max as double) as km_max,
    case
        when published_group.status in ('ok', 'estime') then cast(coalesce(posts.postes, 0) as double)
    end as postes,
    published_group.status
from zone
inner join published_group using (zone_level, zone_code, generation)
cross join bin
left join posts using (zone_level, zone_code, generation, vintage, groupe, rang)
order by all
