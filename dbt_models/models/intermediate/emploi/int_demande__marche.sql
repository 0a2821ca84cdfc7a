{#
    The labour market around a zone, by ROME: job seekers of its communes, else of its EPCI, else of its département,
    the first mesh of which something is known. The last period counts.
#}
with

market as (
    select
        market.code_type_territoire as maille,
        market.code_territoire,
        passage.code_rome_v3 as code_rome,
        sum(market.n_demandeurs) as n_demandeurs
    from {{ ref('stg_francetravail__marche') }} as market
    inner join {{ ref('int_rome__passage') }} as passage
        on market.code_rome = passage.code_rome and passage.version = '3'
    where
        market.n_demandeurs > 0
        and market.periode = (select max(latest.periode) from {{ ref('stg_francetravail__marche') }} as latest)
    group by all
),

zone as (
    select {{ cle_zone() }}, communes, epci, departement
    from {{ ref('dim_zone') }}
    where zone_level in ('QPV', 'HQPV', 'COM')
),

territory as (
    select {{ cle_zone() }}, 'COM' as maille, unnest(communes) as code_territoire, 1 as rang from zone
    union all
    select {{ cle_zone() }}, 'EPCI', epci, 2 from zone
    union all
    select {{ cle_zone() }}, 'DEP', departement, 3 from zone
),

around as (
    select
        {{ cle_zone('territory') }},
        territory.rang,
        territory.maille,
        market.code_rome,
        sum(market.n_demandeurs) as n_demandeurs
    from territory
    inner join market using (maille, code_territoire)
    group by all
),

nearest as (
    select *
    from around
    qualify rang = min(rang) over (partition by {{ cle_zone() }})
)

select
    {{ cle_zone() }},
    maille,
    code_rome,
    cast(n_demandeurs as double) as n_demandeurs,
    n_demandeurs / sum(n_demandeurs) over (partition by {{ cle_zone() }}) as part
from nearest
