{#
    Observations of one dataset: the cells that indicators use, typed, each with its address in the source file.
    Which source column feeds which variable, edition by edition, is data: the seed `variable_column`.
    An empty cell takes its reason from the NOTE column the seed names (`note_status`); without one it is `nd`.
    A cell that is neither a number nor a known mark is `illisible`, which a blocking test refuses.
#}
{% macro observation(staging, dataset) -%}
with

cellule as (
    unpivot (
        select * from {{ ref(staging) }}
    )
    on columns(* exclude (zone_level, zone_code, generation, vintage, _source_sha256, _source_member, _source_row))
    into name source_column value raw_value
),

retenue as (
    select
        cellule.*,
        variable_column.variable,
        variable_column.variable_group,
        variable_column.note_column,
        {{ nombre('cellule.raw_value') }} as value
    from cellule
    inner join {{ ref('variable_column') }} as variable_column
        on
            variable_column.dataset = '{{ dataset }}'
            and cellule.source_column = variable_column.source_column
            and variable_column.vintage in ('*', cellule.vintage)
),

note as (
    select
        _source_sha256,
        _source_row,
        source_column as note_column,
        raw_value as note_code
    from cellule
    where source_column in (
        select note_column from {{ ref('variable_column') }} where dataset = '{{ dataset }}'
    )
)

select
    '{{ dataset }}' as dataset,
    retenue.vintage,
    retenue.zone_level,
    retenue.zone_code,
    retenue.generation,
    retenue.variable,
    retenue.variable_group,
    retenue.value,
    retenue.raw_value,
    case
        when retenue.value is not null then 'ok'
        when lower(trim(retenue.raw_value)) = 'ns' then 'secret_primaire'
        when lower(trim(retenue.raw_value)) = 'nd' then 'nd'
        when trim(retenue.raw_value) != '' then 'illisible'
        else coalesce(note_status.status, 'nd')
    end as status,
    retenue._source_sha256 as source_sha256,
    retenue._source_member as source_member,
    retenue._source_row as source_row,
    retenue.source_column
from retenue
left join note
    on
        retenue._source_sha256 = note._source_sha256
        and retenue._source_row = note._source_row
        and retenue.note_column = note.note_column
left join {{ ref('note_status') }} as note_status
    on note.note_code = note_status.note_code
{%- endmacro %}
