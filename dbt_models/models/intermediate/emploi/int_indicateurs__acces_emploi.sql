{#
    Access to jobs (method M4): figures that journeys, offers and demand make together. A ROME without an offer in the
    catchment has no distance: it is left out of distances, whose weights are shared among the others, and its share of
    the demand is a figure of its own (B_SANS).
#}
with

edition as (
    select distinct vintage, max(dataset) over (partition by vintage) as dataset
    from {{ ref('int_offres__retenues') }}
    union all
    select '{{ var("edition_acces_emploi") }}', 'francetravail_offres'
    where not exists (select offer.vintage from {{ ref('int_offres__retenues') }} as offer)
),

demand as (
    select
        {{ cle_zone() }},
        any_value(status) as status,
        any_value(origine) as origine,
        any_value(maille) as maille,
        count(*) filter (where masque) as n_masques
    from {{ ref('int_demande__rome') }}
    group by all
),

summed as (
    select
        {{ cle_zone() }},
        vintage,
        sum(poids order by code_rome) as poids,
        coalesce(sum(poids order by code_rome) filter (where postes > 0), 0) as poids_avec_offre,
        sum(poids * km_moyen order by code_rome) as km_moyen,
        sum(poids * km_moyen_reduit order by code_rome) as km_moyen_reduit,
        sum(poids order by code_rome) filter (where postes_reduit > 0) as poids_reduit,
        sum(poids * km_moyen_zone_emploi order by code_rome) as km_moyen_zone_emploi,
        sum(poids order by code_rome) filter (where postes_zone_emploi > 0) as poids_zone_emploi,
        sum(poids * km_k order by code_rome) as km_k,
        sum(postes) as postes,
        sum(postes_reduit) as postes_reduit,
        sum(postes_zone_emploi) as postes_zone_emploi,
        sum(postes_tc order by code_rome) as postes_tc,
        sum(poids * postes / demandeurs_bassin order by code_rome) as tension,
        sum(poids order by code_rome) filter (where demandeurs_bassin > 0) as poids_bassin,
        sum(poids * postes_par_concurrent order by code_rome) filter (where n_demandeurs is not null) as concurrence,
        sum(poids order by code_rome) filter (where n_demandeurs is not null) as poids_concurrence,
        sum(postes_departement_mesures) / nullif(sum(postes_departement), 0) as coverage
    from {{ ref('int_acces__zone_rome') }}
    group by all
),

home as (
    select {{ cle_zone() }}, string_agg(zone_emploi, ', ' order by zone_emploi) as zone_emploi
    from {{ ref('int_acces__zones_emploi') }}
    group by all
),

zone as (
    select
        {{ cle_zone('zone') }},
        coalesce(access.route, false) as route,
        coalesce(access.transports, false) as transports,
        home.zone_emploi
    from {{ ref('dim_zone') }} as zone
    left join {{ ref('int_acces__zones') }} as access using (zone_level, zone_code, generation)
    left join home using (zone_level, zone_code, generation)
    {# A commune without a journey would repeat by thousands what its département says. #}
    where zone.zone_level in ('QPV', 'HQPV') or (zone.zone_level = 'COM' and access.route)
),

described as (
    select
        {{ cle_zone('zone') }},
        edition.vintage,
        edition.dataset,
        zone.transports,
        zone.zone_emploi,
        case
            when demand.status is null then 'convention'
            when demand.status = 'secret_primaire' then 'secret_primaire'
            when not zone.route or summed.vintage is null then 'non_couvert'
            else demand.status
        end as status,
        concat_ws(
            ' ; ',
            concat(
                'bassin de {{ var("bassin_km") }} km par la route (variantes : {{ var("bassin_km_reduit") }} km',
                ', zone d’emploi ' || zone.zone_emploi,
                ')'
            ),
            'k = {{ var("plus_proches") }} postes',
            '{{ var("acces_minutes_tc") }} min à pied ou en transports',
            '{{ var("bassin_minutes_voiture") }} min en voiture pour la concurrence',
            case demand.origine
                when 'convention' then 'demande : fichier de convention, ' || demand.n_masques || ' métiers masqués'
                when 'marche' then 'demande : marché du travail, maille ' || demand.maille
            end
        ) as model_parameters,
        summed.* exclude (zone_level, zone_code, generation, vintage),
        median.km_median
    from zone
    cross join edition
    left join demand using (zone_level, zone_code, generation)
    left join summed using (zone_level, zone_code, generation, vintage)
    left join {{ ref('int_acces__mediane') }} as median using (zone_level, zone_code, generation, vintage)
),

figure as (
    {% for code, numerator, denominator, effective, known in [
        ('B_DIST_MOY', 'km_moyen', 'poids_avec_offre', 'postes', 'true'),
        ('B_DIST_MOY_30', 'km_moyen_reduit', 'poids_reduit', 'postes_reduit', 'true'),
        ('B_DIST_MOY_ZE', 'km_moyen_zone_emploi', 'poids_zone_emploi', 'postes_zone_emploi', 'zone_emploi is not null'),
        ('B_DIST_MED', 'km_median', none, 'postes', 'true'),
        ('B_DIST_K', 'km_k', 'poids_avec_offre', 'postes', 'true'),
        ('B_NB_OFFRES', 'postes', none, 'postes', 'true'),
        ('B_NB_30TC', 'postes_tc', none, 'postes', 'transports'),
        ('B_PART_30TC', 'postes_tc', 'postes', 'postes', 'transports'),
        ('B_TENS', 'tension', 'poids_bassin', 'postes', 'true'),
        ('B_SANS', 'poids - poids_avec_offre', 'poids', 'postes', 'true'),
        ('B_SHEN', 'concurrence', 'poids_concurrence', 'postes', 'true'),
    ] %}
        select
            '{{ code }}' as indicator_code,
            {{ cle_zone() }},
            vintage,
            cast({{ numerator }} as double) as numerator,
            cast({{ denominator or 1 }} as double) as denominator,
            {{ 'true' if denominator else 'false' }} as is_ratio,
            cast({{ effective }} as double) as n_effective,
            coverage,
            if(status in ('ok', 'estime') and not ({{ known }}), 'non_couvert', status) as status,
            dataset,
            model_parameters
        from described
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

computed as (
    select
        figure.*,
        case
            when figure.status in ('ok', 'estime')
                then indicator.scale * figure.numerator / nullif(figure.denominator, 0)
        end as value
    from figure
    inner join {{ ref('indicator') }} as indicator using (indicator_code)
)

select
    indicator_code,
    zone_level,
    zone_code,
    generation,
    vintage,
    value,
    case when value is not null and is_ratio then numerator end as numerator,
    case when value is not null and is_ratio then denominator end as denominator,
    cast(null as double) as ci_low,
    cast(null as double) as ci_high,
    case when value is not null then n_effective end as n_effective,
    case when value is not null or status = 'non_couvert' then coverage end as coverage,
    if(status in ('ok', 'estime') and value is null, 'nd', status) as status,
    dataset,
    'acces-emploi' as model,
    '1' as model_version,
    model_parameters,
    ['ACCES_EMPLOI'] as variable_groups
from computed
