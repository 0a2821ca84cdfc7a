{#
    Indicators of one theme, in two steps: the terms of every figure (`termes`), then their sum (`indicateurs`).
    The formula is data (seed `indicator_term`).

    An indicator may be had in several ways, its paths, numbered in order of preference: `value` (the producer
    publishes it) or `ratio` (numerators over a denominator). A path exists for a zone level and an edition when that
    edition carries every one of its variables. Paths that start from another geography are in `report.sql`.

    A QPV of the generation that an edition covers, but absent from its file, is `non_couvert`; its terms then name the
    file and the column that were searched, without a row.
#}
{% macro termes(theme) -%}
with

term as (
    select
        indicator_term.indicator_code,
        indicator_term.role,
        indicator_term.variable,
        indicator_term.coefficient,
        indicator.scale,
        case when indicator_term.role = 'value' then 'value' else 'ratio' end as path,
        indicator_term.path as path_rank,
        count(*) over (partition by indicator_term.indicator_code, indicator_term.path) as terms_in_path
    from {{ ref('indicator_term') }} as indicator_term
    inner join {{ ref('indicator') }} as indicator using (indicator_code)
    where indicator.theme = '{{ theme }}' and indicator_term.from_level is null
),

source_cell as (
    select observation.*
    from {{ ref('observation') }} as observation
    where observation.variable in (select variable from term)
),

edition as (
    select
        zone_level,
        generation,
        vintage,
        variable,
        min(dataset) as dataset,
        min(variable_group) as variable_group,
        min(source_sha256) as source_sha256,
        min(source_member) as source_member,
        min(source_column) as source_column
    from source_cell
    group by zone_level, generation, vintage, variable
),

candidate_path as (
    select
        edition.zone_level,
        edition.generation,
        edition.vintage,
        term.indicator_code,
        term.path,
        term.path_rank
    from term
    inner join edition using (variable)
    group by all
    having count(*) = any_value(term.terms_in_path)
),

chosen_path as (
    select * from candidate_path
    qualify row_number() over (
        partition by indicator_code, zone_level, generation, vintage
        order by path_rank
    ) = 1
),

zone as (
    select zone_level, zone_code, generation, null as vintage
    from {{ ref('dim_zone') }}
    where zone_level = 'QPV'
    union all
    select distinct zone_level, zone_code, generation, vintage
    from source_cell
    where zone_level != 'QPV'
)

select
    chosen_path.indicator_code,
    chosen_path.zone_level,
    zone.zone_code,
    chosen_path.generation,
    chosen_path.vintage,
    chosen_path.path,
    term.terms_in_path,
    term.role,
    term.variable,
    term.coefficient,
    term.scale,
    source_cell.value,
    coalesce(source_cell.status, 'non_couvert') as status,
    edition.dataset,
    edition.variable_group,
    coalesce(source_cell.source_sha256, edition.source_sha256) as source_sha256,
    coalesce(source_cell.source_member, edition.source_member) as source_member,
    source_cell.source_row,
    coalesce(source_cell.source_column, edition.source_column) as source_column,
    source_cell.raw_value,
    source_cell.key_column,
    source_cell.key_value,
    source_cell.note_column,
    source_cell.note_value,
    source_cell.correction_id
from chosen_path
inner join term using (indicator_code, path_rank)
inner join edition
    on
        chosen_path.zone_level = edition.zone_level
        and chosen_path.generation = edition.generation
        and chosen_path.vintage = edition.vintage
        and term.variable = edition.variable
inner join zone
    on
        chosen_path.zone_level = zone.zone_level
        and chosen_path.generation = zone.generation
        and coalesce(zone.vintage, chosen_path.vintage) = chosen_path.vintage
left join source_cell
    on
        chosen_path.zone_level = source_cell.zone_level
        and zone.zone_code = source_cell.zone_code
        and chosen_path.generation = source_cell.generation
        and chosen_path.vintage = source_cell.vintage
        and term.variable = source_cell.variable
{%- endmacro %}

{#
    Per zone, the division comes last, and a term that is absent gives its reason to the figure. A value published as
    it is has one term and is taken as it stands: nearly all figures, which a sum would make hold in memory at once.
    Others are summed in the order of their variables: floating sums depend on order, and a release must be the same
    twice.
#}
{% macro indicateurs(theme) -%}
with

term as (
    select
        *,
        path = 'value' and terms_in_path = 1 as lone
    from {{ ref('int_termes__' ~ theme) }}
),

published as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        path,
        scale,
        coefficient * value as published_value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        status as term_status,
        dataset,
        [variable_group] as variable_groups
    from term
    where lone
),

summed as (
    select
        indicator_code,
        zone_level,
        zone_code,
        generation,
        vintage,
        any_value(path) as path,
        any_value(scale) as scale,
        {{ somme_des_termes('value') }} as published_value,
        {{ somme_des_termes('numerator') }} as numerator,
        {{ somme_des_termes('denominator') }} as denominator,
        {{ statut_le_plus_fort('status') }} as term_status,
        min(dataset) as dataset,
        list(distinct variable_group order by variable_group) as variable_groups
    from term
    where not lone
    group by all
),

figure as (
    select * from published
    union all
    select * from summed
)

select
    indicator_code,
    zone_level,
    zone_code,
    generation,
    vintage,
    {{ valeur_indicateur() }} as value,
    case when term_status = 'ok' then numerator end as numerator,
    case when term_status = 'ok' then denominator end as denominator,
    {{ statut_indicateur() }} as status,
    dataset,
    variable_groups
from figure
{%- endmacro %}

{% macro somme_des_termes(role) -%}
    sum(coefficient * value order by variable) filter (where role = '{{ role }}')
{%- endmacro %}

{# The reason that prevails when several terms of a figure are absent. #}
{% macro statut_le_plus_fort(status) -%}
    case
        when bool_and({{ status }} = 'ok') then 'ok'
        when bool_or({{ status }} = 'secret_primaire') then 'secret_primaire'
        when bool_or({{ status }} = 'secret_secondaire') then 'secret_secondaire'
        when bool_or({{ status }} = 'convention') then 'convention'
        when bool_and({{ status }} = 'non_couvert') then 'non_couvert'
        else 'nd'
    end
{%- endmacro %}

{# Division last; an empty denominator gives no value (and the status `nd`), never an infinity. #}
{% macro valeur_indicateur() -%}
    case
        when term_status != 'ok' then null
        when path = 'value' then published_value
        else scale * numerator / nullif(denominator, 0)
    end
{%- endmacro %}

{% macro statut_indicateur() -%}
    case when term_status = 'ok' and path = 'ratio' and denominator = 0 then 'nd' else term_status end
{%- endmacro %}

{# The name of a figure, which anyone can read and write: its key. #}
{% macro figure_id() -%}
    concat_ws('.', indicator_code, zone_level, zone_code, generation, vintage)
{%- endmacro %}
