{# The heart: one row per indicator, zone, generation and edition. #}
with

{# Published figures, and what is computed from counts of the same zone. #}
direct as (
    {% for theme in themes('formula') %}
        select * from {{ ref('int_indicateurs__' ~ theme) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

{# Figures brought from another geography, with their measured interval. #}
crossed as (
    select figure.*, bounds.ci_low, bounds.ci_high, bounds.interval_basis
    from {{ crossed('int_indicateurs__') }} as figure
    left join {{ ref('int_crosswalk__intervalles') }} as bounds
        using (indicator_code, zone_level, zone_code, generation, vintage)
),

{# Figures that a model makes, of health, of access to jobs, of travel times and of non-take-up. #}
modelled as (
    {% for theme in ['modeles'] + themes('modelled') %}
        select * from {{ ref('int_indicateurs__' ~ theme) }}
        {{ 'union all by name' if not loop.last }}
    {% endfor %}
),

figure as (
    select
        indicator_code, zone_level, zone_code, generation, vintage, value, numerator, denominator,
        cast(null as double) as ci_low,
        cast(null as double) as ci_high,
        cast(null as double) as n_effective,
        'M0' as method,
        cast(case when status = 'ok' then 1 end as double) as coverage,
        status, dataset, variable_groups,
        cast(null as varchar) as interval_basis,
        cast(null as varchar) as model,
        cast(null as varchar) as model_version,
        cast(null as varchar) as model_parameters
    from direct
    union all
    select
        indicator_code, zone_level, zone_code, generation, vintage, value, numerator, denominator,
        case when value is not null then ci_low end,
        case when value is not null then ci_high end,
        case when value is not null then n_effective end,
        method,
        case when value is not null or status = 'non_couvert' then coverage end,
        status, dataset, variable_groups, case when value is not null then interval_basis end, null, null, null
    from crossed
    union all
    select
        indicator_code, zone_level, zone_code, generation, vintage, null, null, null, null, null, null,
        'M0', null, status, dataset, variable_groups, null, null, null, null
    from {{ ref('int_indicateurs__absents') }}
    union all
    select
        indicator_code, zone_level, zone_code, generation, vintage, value, numerator, denominator,
        ci_low, ci_high, n_effective, 'M4', coverage, status, dataset, variable_groups,
        case
            when ci_low is null then null
            when model = 'temps-de-trajet' then 'premier et troisième quartiles des départs'
            else 'incertitude du modèle, voir sa fiche'
        end,
        model, model_version, model_parameters
    from modelled
),

dated as (
    select
        *,
        lag(vintage) over (
            partition by indicator_code, zone_level, zone_code, generation
            order by vintage
        ) as previous_vintage
    from figure
),

edition as (
    select distinct dataset, vintage, variable_groups from dated
),

edition_group as (
    select dataset, vintage, variable_groups, unnest(variable_groups) as variable_group from edition
),

{# What the figure speaks of: the reference period of each of its sources, else the edition. #}
described_edition as (
    select
        edition_group.dataset,
        edition_group.vintage,
        edition_group.variable_groups,
        coalesce(
            string_agg(distinct edition_reference.reference_period, ' ; ' order by edition_reference.reference_period),
            'édition ' || edition_group.vintage
        ) as reference_period,
        bool_or(known_break.variable_group is not null) as breaks_series
    from edition_group
    left join {{ ref('edition_reference') }} as edition_reference
        on
            edition_group.dataset = edition_reference.dataset
            and edition_group.vintage = edition_reference.vintage
            and edition_group.variable_group = edition_reference.variable_group
    left join {{ ref('known_break') }} as known_break
        on
            edition_group.variable_group = known_break.variable_group
            and known_break.vintage in ('*', edition_group.vintage)
    group by edition_group.dataset, edition_group.vintage, edition_group.variable_groups
)

select
    dated.indicator_code,
    dated.zone_level,
    dated.zone_code,
    dated.generation,
    dated.vintage,
    dated.value,
    indicator.unit,
    dated.numerator,
    dated.denominator,
    dated.ci_low,
    dated.ci_high,
    dated.interval_basis,
    dated.n_effective,
    dated.method,
    dated.coverage,
    dated.status,
    case
        when dated.previous_vintage is null then null
        else not described_edition.breaks_series
    end as comparable_with_previous,
    described_edition.reference_period,
    dated.dataset,
    catalogue.licence,
    dated.model,
    dated.model_version,
    dated.model_parameters,
    {{ figure_id() }} as figure_id,
    '{{ env_var("DQ_DBT_BUILD_ID", "local")[:12] }}' as run_id
from dated
inner join {{ ref('indicator') }} as indicator using (indicator_code)
inner join described_edition using (dataset, vintage, variable_groups)
inner join {{ source('derived', 'catalogue') }} as catalogue using (dataset)
order by
    dated.indicator_code, dated.zone_level, dated.zone_code, dated.generation, dated.vintage
