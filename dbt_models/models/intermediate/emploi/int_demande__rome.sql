{#
    Job seekers by zone and ROME, and the weights w = D / Σ D that every indicator of access uses.

    The convention's file counts where it has the zone. Elsewhere a QPV has an estimate, said so (`estime`):
    D(q, r) = D(q) × M(r) / Σ M, the mix by ROME of the labour market around it brought to its own job seekers of
    categories A, B and C. The market gives no margin by age, sex or diploma: there is nothing to tilt the mix with, and
    the estimate says that a QPV looks for what its commune looks for. The rest of a commune (HQPV) has the commune's
    demand, since what its QPV hold of it is not known by ROME.

    What the convention hides comes masked; a count that it shows under our own rule (`demande_metier`) is masked here. A
    ROME that is masked has no weight, and a zone of which every ROME is masked is `secret_primaire`.
#}
with

declared as (
    select
        'QPV' as zone_level,
        demand.code_qpv as zone_code,
        demand.generation,
        passage.code_rome_v3 as code_rome,
        demand.n_demandeurs,
        coalesce(demand.masque, false)
        or demand.n_demandeurs is null
        or demand.n_demandeurs between 1 and {{ effectif_minimal('demande_metier') }} - 1 as masque
    from {{ ref('stg_partenaire__demande_rome') }} as demand
    inner join {{ ref('int_rome__passage') }} as passage
        on demand.code_rome = passage.code_rome and passage.version = '3'
    where coalesce(demand.categorie, 'ABC') = 'ABC'
    qualify
        demand.date_obs is not distinct from max(demand.date_obs) over (
            partition by demand.code_qpv, demand.generation
        )
),

convention as (
    select
        {{ cle_zone() }},
        code_rome,
        cast(sum(n_demandeurs) filter (where not masque) as double) as n_demandeurs,
        bool_or(masque) as masque
    from declared
    group by all
),

seekers as (
    select
        {{ cle_zone() }},
        arg_max(value, vintage) as total,
        max(vintage) as total_vintage
    from {{ ref('int_indicateurs__emploi') }}
    where indicator_code = 'DE_ABC' and zone_level = 'QPV' and status = 'ok'
    group by all
),

estimate as (
    select
        {{ cle_zone('market') }},
        market.code_rome,
        case
            when market.zone_level = 'QPV' then seekers.total * market.part
            when market.maille = 'COM' then market.n_demandeurs
        end as n_demandeurs,
        market.part,
        market.maille,
        if(market.zone_level = 'QPV', seekers.total_vintage, null) as total_vintage
    from {{ ref('int_demande__marche') }} as market
    left join seekers using (zone_level, zone_code, generation)
    anti join convention
        on
            market.zone_level = convention.zone_level
            and market.zone_code = convention.zone_code
            and market.generation = convention.generation
),

demand as (
    select
        {{ cle_zone() }},
        code_rome,
        n_demandeurs,
        masque,
        coalesce(
            n_demandeurs / nullif(sum(n_demandeurs) over (partition by {{ cle_zone() }}), 0), 0
        ) as poids,
        'convention' as origine,
        null as maille,
        null as total_vintage,
        if(bool_and(masque) over (partition by {{ cle_zone() }}), 'secret_primaire', 'ok') as status
    from convention
    union all
    select
        {{ cle_zone() }}, code_rome, n_demandeurs, false, part, 'marche', maille, total_vintage,
        if(zone_level = 'COM' and maille = 'COM', 'ok', 'estime')
    from estimate
)

select
    demand.zone_level,
    demand.zone_code,
    demand.generation,
    demand.code_rome,
    left(demand.code_rome, 1) as grand_domaine,
    demand.n_demandeurs,
    demand.masque,
    demand.poids,
    demand.origine,
    demand.maille,
    demand.total_vintage,
    demand.status
from demand
semi join {{ ref('dim_zone') }} as zone
    on
        demand.zone_level = zone.zone_level
        and demand.zone_code = zone.zone_code
        and demand.generation = zone.generation
