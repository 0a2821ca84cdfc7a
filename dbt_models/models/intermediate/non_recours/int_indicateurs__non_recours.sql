{#
    Figures of non-take-up (method M4): estimates with their interval, else the reason for none. Editions of the CMU-C
    have a row that says that they are another series.
#}
with

estimation as (
    select
        *,
        indicator_code not in ('C_ELIG', 'C_NR_GAP') as is_rate
    from {{ ref('int_modele__non_recours') }}
    where sortie = 'estimation'
),

counted as (
    select zone_level, zone_code, generation, vintage, min(dataset) as dataset
    from {{ ref('int_non_recours__taux') }}
    group by all
),

{# What sets the model, the same for all figures of an edition. #}
setting as (
    select
        vintage,
        string_agg(
            methode || ' ' || tier || ' × ' || replace(cast(round(facteur, 3) as varchar), '.', ','), ', '
            order by methode, tier
        ) as factors
    from {{ ref('int_modele__non_recours') }}
    where sortie = 'calage'
    group by vintage
),

gate as (
    select
        vintage,
        max(valeur) filter (where entree = 'non_recours_calcule') as rate,
        bool_and(conforme) filter (where conforme is not null) as passed
    from {{ ref('int_modele__non_recours') }}
    where sortie = 'verrou'
    group by vintage
)

select
    estimation.indicator_code,
    {{ cle_zone('estimation') }},
    estimation.vintage,
    estimation.value,
    {# Of the eligible persons, those who have not claimed: the rate is their share. #}
    case when estimation.is_rate then estimation.value / 100 * estimation.denominator end as numerator,
    case when estimation.is_rate and estimation.value is not null then estimation.denominator end as denominator,
    estimation.ci_low,
    estimation.ci_high,
    cast(null as double) as n_effective,
    cast(null as double) as coverage,
    estimation.status,
    counted.dataset,
    'non-recours-c2s' as model,
    estimation.model_version,
    concat_ws(
        ' ; ',
        'revenus ' || estimation.income_year,
        'repère national ' || estimation.vintage || ' : '
        || replace(cast(round(gate.rate, 1) as varchar), '.', ',') || ' % calculés, '
        || if(gate.passed, 'conforme', 'non conforme'),
        'calage : ' || setting.factors,
        '1 000 tirages, graine fixe',
        estimation.motif
    ) as model_parameters,
    ['MODELE'] as variable_groups
from estimation
inner join counted using (zone_level, zone_code, generation, vintage)
left join setting on estimation.vintage = setting.vintage
left join gate on estimation.vintage = gate.vintage
