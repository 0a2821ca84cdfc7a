{#
    The 90 % interval of a figure brought from another geography: the estimate less the errors measured in the nearest
    class (the same variable, its family, else its nature; the same coverage, else all). The rest of a commune or of an
    urban unit is what its QPV leave: their errors are its error, the other way round, in proportion of their numbers;
    what they share adds up, what each has of its own adds up in squares. Zones that are whole IRIS have none.
#}
with

estimate as (
    select
        figure.*,
        family.kind,
        family.family,
        family.variable_code,
        {{ classe_de_couverture('figure.coverage') }} as coverage_class
    from {{ crossed('int_indicateurs__') }} as figure
    inner join {{ ref('downscaling_family') }} as family using (indicator_code)
    where figure.estimate is not null
),

nearest as (
    select
        estimate.*,
        class.low_scaled_error,
        class.high_scaled_error,
        class.family as class_name,
        class.width as class_width,
        class.coverage_class as class_coverage,
        class.comparisons
    from estimate
    inner join {{ ref('int_crosswalk__classes') }} as class
        on
            estimate.kind = class.kind
            and estimate.method = class.method
            and class.variable_code in (estimate.variable_code, '*')
            and class.family in (estimate.family, '*')
            and class.coverage_class in (estimate.coverage_class, '*')
    where estimate.zone_level = 'QPV'
    qualify row_number() over (
        partition by estimate.indicator_code, estimate.zone_code, estimate.generation, estimate.vintage
        order by class.width, class.coverage_class = '*'
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
        'erreurs mesurées '
        || case class_width
            when 0 then 'de la même variable'
            when 1 then 'de la famille « ' || class_name || ' »'
            else 'de variables de même nature, dans les deux sens'
        end
        || case class_coverage when '*' then ', toutes couvertures' else ', couverture ' || class_coverage end
        || ', ' || comparisons || ' comparaisons (mart_erreur_report)' as interval_basis
    from nearest
),

surrounding as (
    select distinct
        member.zone_level,
        member.zone_code,
        member.generation,
        link.qpv_code
    from {{ ref('int_zones__comparaison') }} as member
    inner join {{ ref('int_crosswalk__iris_qpv') }} as link using (iris_code, generation)
),

rest_error as (
    select
        rest.indicator_code,
        rest.zone_level,
        rest.zone_code,
        rest.generation,
        rest.vintage,
        rest.estimate,
        sum(
            ((of_qpv.ci_low + of_qpv.ci_high) / 2 - of_qpv.estimate) * of_qpv.denominator_estimate
            / rest.denominator_estimate
            order by of_qpv.zone_code
        ) as common,
        sqrt(sum(
            pow((of_qpv.ci_high - of_qpv.ci_low) / 2 * of_qpv.denominator_estimate / rest.denominator_estimate, 2)
            order by of_qpv.zone_code
        )) as own
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
),

of_rest as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        greatest(0, least(100, estimate - common - own)) as ci_low,
        greatest(0, least(100, estimate - common + own)) as ci_high,
        'erreurs des quartiers que la zone entoure, prises à rebours' as interval_basis
    from rest_error
)

select indicator_code, zone_level, zone_code, generation, vintage, ci_low, ci_high, interval_basis from of_qpv
union all
select indicator_code, zone_level, zone_code, generation, vintage, ci_low, ci_high, interval_basis from of_rest
