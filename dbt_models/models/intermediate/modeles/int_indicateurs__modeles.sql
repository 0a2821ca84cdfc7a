{#
    Figures that a statistical model makes (method M4): composite indices and standardised indices, each with the model,
    its version and what sets it. An index that awaits a convention says so for the zones that someone looks up.
#}
with

edition as (
    select index_code, component, max(vintage) as vintage
    from {{ ref('int_sante__composantes') }}
    group by all
),

index_edition as (
    select
        index_code,
        coalesce(max(vintage), '{{ var("edition_modeles") }}') as vintage
    from edition
    group by index_code
),

composite as (
    select
        output.index_code as indicator_code,
        output.zone_level,
        output.zone_code,
        output.generation,
        index_edition.vintage,
        output.value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        output.ci_low,
        output.ci_high,
        cast(null as double) as n_effective,
        output.n_components / output.n_expected as coverage,
        output.status,
        if(output.index_code = 'A_SOCIO', 'insee_iris_synthese', 'ors_sante_iris') as dataset,
        'indice-vulnerabilite' as model,
        output.model_version,
        output.n_components || ' composantes sur ' || output.n_expected || ' ; 1 000 tirages, graine fixe'
            as model_parameters
    from {{ ref('int_modele__vulnerabilite') }} as output
    inner join index_edition using (index_code)
    where output.sortie = 'indice' and output.variant = 'reference'
),

standardised as (
    select
        component || '_ICM' as indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        value,
        observed as numerator,
        expected as denominator,
        ci_low,
        ci_high,
        cast(null as double) as n_effective,
        coverage,
        status,
        'ors_sante_iris' as dataset,
        'standardisation' as model,
        model_version,
        'a priori gamma : alpha = ' || round(alpha, 4) || ', beta = ' || round(beta, 4) as model_parameters
    from {{ ref('int_modele__icm') }}
),

figure as (
    select * from composite
    union all
    select * from standardised
)

select
    * replace (
        case when status in ('ok', 'estime') then value end as value,
        case when status in ('ok', 'estime') then ci_low end as ci_low,
        case when status in ('ok', 'estime') then ci_high end as ci_high
    ),
    ['MODELE'] as variable_groups
from figure
where status in ('ok', 'estime') or zone_level not in ('IRIS', 'COM')
