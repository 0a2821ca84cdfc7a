{#
    Downscaling put to the proof: variables whose true value in QPV is published are estimated from IRIS or tiles, and
    compared. One row per variable compared and QPV.
#}
with

benchmark as (
    select * from {{ ref('downscaling_benchmark') }}
),

link as (
    select * from {{ ref('crosswalk') }}
    where to_level = 'QPV' and from_level in ('IRIS', 'CARREAU')
),

cell as (
    select zone_level, zone_code, vintage, variable, value
    from {{ ref('observation') }}
    where value is not null
),

unit as (
    select
        benchmark.benchmark_code,
        link.to_code as zone_code,
        link.to_generation as generation,
        link.from_code as unit_code,
        link.population as unit_population,
        link.weight >= 0.5 or link.from_level != 'IRIS' as mostly_inside,
        {# The published population, which sets the weights, cannot judge them. #}
        case
            when benchmark.family = 'population' and link.basis = 'population' then link.area_share else link.weight
        end as unit_share,
        {# A share without the count that it is a share of is weighed by inhabitants. #}
        case
            when benchmark.kind = 'rate' and benchmark.denominator_variable is null then above.value * link.population
            else unit_share * above.value * coalesce(base.value, 1)
        end as numerator,
        case
            when benchmark.kind = 'rate' and benchmark.denominator_variable is null then link.population
            else unit_share * below.value
        end as denominator,
        above.value is not null
        and (benchmark.base_variable is null or base.value is not null)
        and (benchmark.denominator_variable is null or below.value is not null) as complete
    from benchmark
    inner join link
        on benchmark.from_level = link.from_level and benchmark.generation = link.to_generation
    left join cell as above
        on
            link.from_level = above.zone_level
            and link.from_code = above.zone_code
            and benchmark.unit_vintage = above.vintage
            and benchmark.numerator_variable = above.variable
    left join cell as base
        on
            link.from_level = base.zone_level
            and link.from_code = base.zone_code
            and benchmark.unit_vintage = base.vintage
            and benchmark.base_variable = base.variable
    left join cell as below
        on
            link.from_level = below.zone_level
            and link.from_code = below.zone_code
            and benchmark.unit_vintage = below.vintage
            and benchmark.denominator_variable = below.variable
),

estimated as (
    select
        benchmark_code,
        zone_code,
        generation,
        sum(numerator order by unit_code) filter (where complete) as numerator,
        sum(denominator order by unit_code) filter (where complete) as denominator,
        coalesce(
            sum(unit_population order by unit_code) filter (where complete and mostly_inside)
            / nullif(sum(unit_population order by unit_code), 0),
            0
        ) as coverage
    from unit
    group by all
),

{# A published rate, or the ratio of two published counts. #}
published as (
    select
        benchmark.benchmark_code,
        cell.zone_code,
        case
            when benchmark.published_denominator is null then cell.value
            else benchmark.scale * cell.value / nullif(below.value, 0)
        end as published
    from benchmark
    inner join cell
        on
            cell.zone_level = 'QPV'
            and benchmark.published_variable = cell.variable
            and benchmark.published_vintage = cell.vintage
    left join cell as below
        on
            below.zone_level = 'QPV'
            and cell.zone_code = below.zone_code
            and benchmark.published_denominator = below.variable
            and benchmark.published_vintage = below.vintage
),

compared as (
    select
        benchmark.benchmark_code,
        benchmark.libelle_fr,
        benchmark.kind,
        benchmark.family,
        benchmark.unit_vintage as vintage,
        if(benchmark.from_level = 'IRIS', 'M2', 'M3') as method,
        estimated.zone_code,
        estimated.generation,
        published.published,
        case benchmark.kind
            when 'rate' then benchmark.scale * estimated.numerator / nullif(estimated.denominator, 0)
            else estimated.numerator
        end as estimated,
        estimated.coverage
    from benchmark
    inner join estimated using (benchmark_code)
    inner join published using (benchmark_code, zone_code)
)

select
    *,
    {{ classe_de_couverture('coverage') }} as coverage_class,
    estimated - published as error,
    {{ echelle_erreur('estimated', 'kind') }} - {{ echelle_erreur('published', 'kind') }} as scaled_error
from compared
where published is not null and estimated is not null
