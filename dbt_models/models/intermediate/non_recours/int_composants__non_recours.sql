{#
    Figures that figures of non-take-up are made of, in the columns of `figure_component`: counts of the zone, quantiles
    of its living standard (of what it is mixed from, where it has none of its own) and of France, make-up of its
    households. An écart is made of the two rates.
#}
with

figure as (
    select {{ figure_id() }} as figure_id, *
    from {{ ref('int_indicateurs__non_recours') }}
),

{# A measure that the edition does not count leads to the count of all beneficiaries, which was looked at. #}
counted as (
    select figure.figure_id, taux.indicator_code, {{ cle_zone('taux') }}, taux.vintage
    from figure
    inner join {{ ref('int_non_recours__taux') }} as taux using (zone_level, zone_code, generation, vintage)
    where
        taux.indicator_code is not null
        and taux.mesure in (
            'total',
            case figure.indicator_code
                when 'C_NR_NP' then 'np'
                when 'C_NR_P' then 'p'
                when 'C_NR_J' then 'j'
                when 'C_NR_S' then 's'
            end
        )
        and figure.indicator_code != 'C_NR_GAP'
    qualify row_number() over (
        partition by figure.figure_id
        order by taux.mesure = 'total'
    ) = 1
),

{# A zone is its own part; the rest of communes is mixed from communes and QPV. #}
part as (
    select
        {{ cle_zone() }},
        part_level,
        part_code,
        part_generation
    from {{ ref('int_non_recours__melanges') }}
    union
    select distinct
        {{ cle_zone() }},
        zone_level as part_level,
        zone_code as part_code,
        generation as part_generation
    from {{ ref('int_non_recours__zones') }}
),

estimated as (
    select * from figure
    where value is not null and indicator_code != 'C_NR_GAP'
),

income as (
    select
        estimated.figure_id,
        quantile.indicator_code,
        {{ cle_zone('quantile') }},
        quantile.income_year as vintage
    from estimated
    inner join part using (zone_level, zone_code, generation)
    inner join {{ ref('int_non_recours__quantiles') }} as quantile
        on
            part.part_level = quantile.zone_level
            and part.part_code = quantile.zone_code
            and part.part_generation = quantile.generation
    union all
    select estimated.figure_id, quantile.indicator_code, {{ cle_zone('quantile') }}, quantile.income_year
    from estimated
    cross join {{ ref('int_non_recours__quantiles') }} as quantile
    where quantile.zone_level = 'FRM'
),

household as (
    select estimated.figure_id, margin.indicator_code, {{ cle_zone('margin') }}, margin.vintage
    from estimated
    inner join {{ ref('int_non_recours__marges') }} as margin using (zone_level, zone_code, generation)
),

gap as (
    select figure.figure_id, 'C_NR' as indicator_code, {{ cle_zone('figure') }}, figure.vintage
    from figure
    where figure.indicator_code = 'C_NR_GAP'
    union all
    select
        figure.figure_id,
        'C_NR',
        comparison.reference_level,
        comparison.reference_code,
        comparison.reference_generation,
        figure.vintage
    from figure
    inner join {{ ref('int_non_recours__comparaisons') }} as comparison using (zone_level, zone_code, generation)
    where figure.indicator_code = 'C_NR_GAP'
),

component as (
    select * from counted
    union all
    select * from income
    union all
    select * from household
    union all
    select * from gap
)

select distinct figure_id, {{ figure_id() }} as component_figure_id
from component
