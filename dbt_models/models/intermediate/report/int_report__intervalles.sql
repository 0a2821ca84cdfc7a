{#
    The 90 % interval of a figure brought from another geography: the estimate less the errors measured in the nearest
    class (same family and coverage, else same nature and coverage, else same nature). The rest of a commune or of an
    urban unit is what its QPV leave: their error is its error, the other way round, in proportion of their numbers.
    Zones that are whole IRIS have none.
#}
with

estimate as (
    select
        figure.*,
        family.kind,
        family.family,
        {{ classe_de_couverture('figure.coverage') }} as coverage_class
    from {{ ref('int_indicateurs__sante_reportes') }} as figure
    inner join {{ ref('downscaling_family') }} as family using (indicator_code)
    where figure.estimate is not null
),

nearest as (
    select
        estimate.*,
        class.low_scaled_error,
        class.high_scaled_error,
        class.family as class_family,
        class.coverage_class as class_coverage,
        class.comparisons
    from estimate
    inner join {{ ref('int_report__classes') }} as class
        on
            estimate.kind = class.kind
            and estimate.method = class.method
            and class.family in (estimate.family, '*')
            and class.coverage_class in (estimate.coverage_class, '*')
    where estimate.zone_level = 'QPV'
    qualify row_number() over (
        partition by estimate.indicator_code, estimate.zone_code, estimate.generation, estimate.vintage
        order by class.coverage_class = '*', class.family = '*'
    ) = 1
),

of_qpv as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        denominator_estimate,
        estimate,
        {{ depuis_echelle(echelle_erreur('estimate', 'kind') ~ ' - high_scaled_error', 'kind') }} as ci_low,
        {{ depuis_echelle(echelle_erreur('estimate', 'kind') ~ ' - low_scaled_error', 'kind') }} as ci_high,
        class_family || '/' || class_coverage || ' (' || comparisons || ')' as interval_basis
    from nearest
),

surrounding as (
    select distinct
        member.zone_level,
        member.zone_code,
        member.generation,
        link.qpv_code
    from {{ ref('int_zones__comparaison') }} as member
    inner join {{ ref('int_report__iris_qpv') }} as link using (iris_code, generation)
),

of_rest as (
    select
        rest.indicator_code,
        rest.zone_level,
        rest.zone_code,
        rest.generation,
        rest.vintage,
        greatest(0, rest.estimate - sum(
            greatest(0, of_qpv.ci_high - of_qpv.estimate) * of_qpv.denominator_estimate / rest.denominator_estimate
            order by of_qpv.zone_code
        )) as ci_low,
        least(100, rest.estimate + sum(
            greatest(0, of_qpv.estimate - of_qpv.ci_low) * of_qpv.denominator_estimate / rest.denominator_estimate
            order by of_qpv.zone_code
        )) as ci_high,
        'complément des quartiers' as interval_basis
    from estimate as rest
    inner join surrounding using (zone_level, zone_code, generation)
    inner join of_qpv
        on
            rest.indicator_code = of_qpv.indicator_code
            and surrounding.qpv_code = of_qpv.zone_code
            and rest.generation = of_qpv.generation
            and rest.vintage = of_qpv.vintage
    where rest.kind = 'rate' and rest.denominator_estimate > 0
    group by
        rest.indicator_code, rest.zone_level, rest.zone_code, rest.generation, rest.vintage, rest.estimate
)

select indicator_code, zone_level, zone_code, generation, vintage, ci_low, ci_high, interval_basis from of_qpv
union all
select indicator_code, zone_level, zone_code, generation, vintage, ci_low, ci_high, interval_basis from of_rest
