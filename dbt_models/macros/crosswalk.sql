{#
    Indicators that start from another geography than the zone's own: located units (method M1), IRIS (M2) or tiles
    (M3). The crosswalk gives each unit's share in the zone; numerators and denominators cross it side by side, the
    division comes last. Medians and other quantiles never cross: no term of theirs names a `from_level`.

    One row per term and unit. A term is a cell, or the product of two: a published share and the count that it is a
    share of (`base_variable`), which makes the numerator again. A unit of which one cell is missing is set aside whole
    (`complete` is false), so that what is above the bar and what is below speak of the same people.
#}
{% macro termes_crosswalk(theme) -%}
with

term as (
    select
        indicator_term.*,
        indicator.scale,
        string_split(indicator.levels, ',') as levels
    from {{ ref('indicator_term') }} as indicator_term
    inner join {{ ref('indicator') }} as indicator using (indicator_code)
    where indicator.theme = '{{ theme }}' and indicator_term.from_level is not null
),

needed as (
    select *, count(*) over (partition by indicator_code, path) as variables
    from (
        select indicator_code, path, from_level, variable from term
        union
        select indicator_code, path, from_level, base_variable from term
        where base_variable is not null
    )
),

source_cell as (
    select *
    from {{ ref('observation') }}
    where (zone_level, variable) in (select (from_level, variable) from needed)
),

edition as (
    select distinct zone_level as from_level, vintage, variable from source_cell
),

{# An edition counts when it carries every variable of the path. #}
chosen_edition as (
    select needed.indicator_code, needed.path, needed.from_level, edition.vintage
    from needed
    inner join edition using (from_level, variable)
    group by needed.indicator_code, needed.path, needed.from_level, edition.vintage
    having count(*) = any_value(needed.variables)
),

link as (
    select * from {{ ref('crosswalk') }}
    where from_level in (select from_level from term)
),

unit_term as (
    select
        term.indicator_code,
        link.to_level as zone_level,
        link.to_code as zone_code,
        link.to_generation as generation,
        chosen_edition.vintage,
        term.from_level,
        link.from_code as unit_code,
        term.role,
        term.variable,
        term.base_variable,
        term.scale,
        term.coefficient * link.weight as weight,
        link.weight as unit_weight,
        link.population as unit_population
    from term
    inner join chosen_edition using (indicator_code, path, from_level)
    inner join link using (from_level)
    where list_contains(term.levels, link.to_level)
)

select
    unit_term.*,
    cell.value,
    base.value as base_value,
    bool_and(cell.value is not null and (unit_term.base_variable is null or base.value is not null)) over (
        partition by
            unit_term.indicator_code, unit_term.zone_level, unit_term.zone_code, unit_term.generation,
            unit_term.vintage, unit_term.unit_code
    ) as complete,
    coalesce(cell.status, 'non_couvert') as status,
    cell.dataset,
    cell.variable_group,
    cell.source_sha256,
    cell.source_member,
    cell.source_row,
    cell.source_column,
    cell.raw_value,
    cell.key_column,
    cell.key_value,
    cell.correction_id,
    base.dataset as base_dataset,
    base.source_sha256 as base_source_sha256,
    base.source_member as base_source_member,
    base.source_row as base_source_row,
    base.source_column as base_source_column,
    base.raw_value as base_raw_value,
    base.key_column as base_key_column,
    base.key_value as base_key_value,
    base.correction_id as base_correction_id
from unit_term
left join source_cell as cell
    on
        unit_term.from_level = cell.zone_level
        and unit_term.unit_code = cell.zone_code
        and unit_term.vintage = cell.vintage
        and unit_term.variable = cell.variable
left join source_cell as base
    on
        unit_term.from_level = base.zone_level
        and unit_term.unit_code = base.zone_code
        and unit_term.vintage = base.vintage
        and unit_term.base_variable = base.variable
{%- endmacro %}

{#
    The sums of a figure that starts from another geography, and how well its units render the zone: `coverage` is the
    share of its inhabitants in complete units; of IRIS, only those that are for the most part inside count. A unit whose
    population nobody gives (an IRIS split since its contour was drawn) has, for that share, that of the zone's mean
    unit: left out, it would make the rest look whole. Floating sums depend on order, hence the order of units and variables.
#}
{% macro indicateurs_crosswalk(theme) -%}
with

figure as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        any_value(from_level) as from_level,
        any_value(scale) as scale,
        {% for role in ('value', 'numerator', 'denominator') -%}
        sum(weight * value * coalesce(base_value, 1) order by unit_code, variable)
            filter (where role = '{{ role }}' and complete) as {{ role }}{{ '_sum' if role == 'value' }},
        {% endfor -%}
        {{ statut_le_plus_fort('status') }} as absence,
        min(dataset) as dataset,
        list(distinct variable_group order by variable_group) filter (where variable_group is not null)
            as variable_groups
    from {{ ref('int_termes__' ~ theme ~ '_crosswalk') }}
    group by all
),

unit as (
    select distinct
        indicator_code, zone_level, zone_code, generation, vintage, from_level, unit_code, unit_weight,
        unit_population, complete
    from {{ ref('int_termes__' ~ theme ~ '_crosswalk') }}
),

mean_unit as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        sum(unit_population order by unit_code)
        / nullif(sum(unit_weight order by unit_code) filter (where unit_population is not null), 0) as population
    from unit
    group by all
),

peopled as (
    select
        unit.*,
        coalesce(unit.unit_population, unit.unit_weight * mean_unit.population) as people
    from unit
    inner join mean_unit using (indicator_code, zone_level, zone_code, generation, vintage)
),

rendered as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        case
            when any_value(from_level) = 'LOGEMENT' then avg(cast(complete as integer))
            else coalesce(
                sum(people order by unit_code)
                    filter (where complete and (from_level != 'IRIS' or unit_weight >= 0.5))
                / nullif(sum(people order by unit_code), 0),
                0
            )
        end as coverage,
        pow(sum(unit_population order by unit_code) filter (where complete), 2)
        / nullif(sum(pow(unit_population, 2) order by unit_code) filter (where complete), 0) as n_effective
    from peopled
    group by all
),

computed as (
    select
        figure.*,
        rendered.coverage,
        rendered.n_effective,
        coalesce(value_sum, scale * numerator / nullif(denominator, 0)) as estimate
    from figure
    inner join rendered using (indicator_code, zone_level, zone_code, generation, vintage)
),

qualified as (
    select
        *,
        case
            when estimate is null then case absence when 'ok' then 'nd' else absence end
            {# A zone of whole units has no measured interval: ill covered, it has no figure. #}
            when coverage < {{ var('couverture_pleine') }} and zone_level in ('COM', 'EPCI', 'DEP', 'REG')
                then 'non_couvert'
            when coverage < {{ var('couverture_minimale') }} then 'non_couvert'
            when coverage < {{ var('couverture_pleine') }} then 'estime'
            else 'ok'
        end as status
    from computed
)

select
    indicator_code,
    zone_level,
    zone_code,
    generation,
    vintage,
    case when status in ('ok', 'estime') then estimate end as value,
    case when status in ('ok', 'estime') then numerator end as numerator,
    case when status in ('ok', 'estime') then denominator end as denominator,
    status,
    estimate,
    denominator as denominator_estimate,
    dataset,
    variable_groups,
    case from_level when 'LOGEMENT' then 'M1' when 'IRIS' then 'M2' else 'M3' end as method,
    coverage,
    n_effective
from qualified
{%- endmacro %}

{# Figures, or their terms, of every theme that is brought from another geography. #}
{% macro crossed(prefix) -%}
{%- set models = [] -%}
{%- for theme in themes('crossed') %}{% do models.append(ref(prefix ~ theme ~ '_crosswalk')) %}{% endfor -%}
{{ models[0] if models | length == 1 else '(select * from ' ~ models | join(' union all select * from ') ~ ')' }}
{%- endmacro %}
