{#
    Source cells of the figures of access to jobs, in the columns of `figure_input`. Offers are named for the figures
    that are sums over them: the value is Σ weight × posts, a post that the producer left empty counting for one. The
    others are made of the same offers and lead to B_NB_OFFRES (`int_composants__acces_emploi`): naming each offer
    twelve times for each zone would weigh more than the offers. Seekers of a convention are named for all; the market
    of an estimate, whose every ROME makes the total, for the figures that name their offers.
#}
with

figure as (
    select {{ figure_id() }} as figure_id, * from {{ ref('int_indicateurs__acces_emploi') }}
),

offer as (
    select
        {{ cle_zone('reach') }},
        reach.vintage,
        reach.km,
        reach.part_tc,
        reach.poids,
        reach.code_rome,
        sum(reach.postes) over (partition by {{ cle_zone('reach') }}, reach.vintage, reach.code_rome) as postes_rome,
        reach.lieu_id,
        reach.commune
    from {{ ref('int_acces__zone_rome_lieu') }} as reach
),

offer_in_zone_emploi as (
    select
        {{ cle_zone('reach') }},
        reach.vintage,
        reach.code_rome,
        reach.lieu_id,
        reach.commune,
        reach.poids * reach.km / sum(reach.postes) over (
            partition by {{ cle_zone('reach') }}, reach.vintage, reach.code_rome
        ) as weight
    from {{ ref('int_acces__zone_emploi') }} as reach
),

effective as (
    select
        figure.figure_id,
        offer.vintage,
        offer.code_rome,
        offer.lieu_id,
        offer.commune,
        case figure.indicator_code
            when 'B_DIST_MOY' then offer.poids / figure.denominator * offer.km / offer.postes_rome
            when 'B_NB_30TC' then offer.part_tc
            else 1
        end as weight
    from figure
    inner join offer using (zone_level, zone_code, generation, vintage)
    where figure.value is not null and figure.indicator_code in ('B_DIST_MOY', 'B_NB_OFFRES', 'B_NB_30TC')
    union all
    select
        figure.figure_id,
        offer.vintage,
        offer.code_rome,
        offer.lieu_id,
        offer.commune,
        offer.weight / figure.denominator
    from figure
    inner join offer_in_zone_emploi as offer using (zone_level, zone_code, generation, vintage)
    where figure.value is not null and figure.indicator_code = 'B_DIST_MOY_ZE'
),

offer_cell as (
    select
        effective.figure_id,
        'numerator' as role,
        kept.offre_cle as term,
        'offres' as variable,
        effective.weight,
        kept.dataset,
        kept.source_sha256,
        kept.source_member,
        kept.source_row,
        kept.source_column,
        cast(kept.nb_postes_source as varchar) as raw_value
    from effective
    inner join {{ ref('int_offres__retenues') }} as kept
        on
            effective.vintage = kept.vintage
            and effective.code_rome = kept.code_rome
            and effective.lieu_id = kept.lieu_id
            and effective.commune is not distinct from kept.commune
    where effective.weight > 0
),

demand_cell as (
    select
        figure.figure_id,
        'weight' as role,
        demand.code_rome as term,
        'demande_rome' as variable,
        1 as weight,
        'partenaire_demande_rome' as dataset,
        demand.source_sha256,
        demand.source_member,
        demand.source_row,
        'n_demandeurs' as source_column,
        coalesce(cast(cast(demand.n_demandeurs as bigint) as varchar), 'ns') as raw_value
    from figure
    inner join {{ ref('stg_partenaire__demande_rome') }} as demand
        on
            figure.zone_level = 'QPV'
            and figure.zone_code = demand.code_qpv
            and figure.generation = demand.generation
    where figure.value is not null or figure.status = 'secret_primaire'
),

estimated as (
    select distinct {{ cle_zone() }}, maille
    from {{ ref('int_demande__rome') }}
    where origine = 'marche'
),

{# The territories of which the market was read: all communes of the zone, or its EPCI, or its département. #}
market_territory as (
    select
        {{ cle_zone('estimated') }},
        estimated.maille,
        unnest(
            case estimated.maille
                when 'COM' then zone.communes
                when 'EPCI' then [zone.epci]
                else [zone.departement]
            end
        ) as code_territoire
    from estimated
    inner join {{ ref('dim_zone') }} as zone using (zone_level, zone_code, generation)
),

market as (
    select * from {{ ref('stg_francetravail__marche') }}
    where
        n_demandeurs > 0
        and periode = (select max(latest.periode) from {{ ref('stg_francetravail__marche') }} as latest)
        and code_rome in (
            select known.code_rome from {{ ref('int_rome__passage') }} as known
            where known.version = '3'
        )
),

market_cell as (
    select
        figure.figure_id,
        'weight' as role,
        market.code_rome as term,
        'demande_rome' as variable,
        1 as weight,
        'francetravail_marche' as dataset,
        market.source_sha256,
        market.source_member,
        market.source_row,
        'valeur' as source_column,
        market.valeur as raw_value
    from figure
    inner join market_territory as territory using (zone_level, zone_code, generation)
    inner join market
        on territory.maille = market.code_type_territoire and territory.code_territoire = market.code_territoire
    where
        figure.value is not null
        and figure.indicator_code in ('B_DIST_MOY', 'B_DIST_MOY_ZE', 'B_NB_OFFRES', 'B_NB_30TC')
)

select
    figure_id,
    role,
    term,
    variable,
    cast(weight as double) as weight,
    dataset,
    source_sha256,
    source_member,
    source_row,
    source_column,
    raw_value,
    cast(null as varchar) as correction_id
from offer_cell
union all
select
    figure_id, role, term, variable, cast(weight as double), dataset,
    source_sha256, source_member, source_row, source_column, raw_value, null
from demand_cell
union all
select
    figure_id, role, term, variable, cast(weight as double), dataset,
    source_sha256, source_member, source_row, source_column, raw_value, null
from market_cell
