{#
    Observations of one dataset: the cells that indicators use, in the zones of the territory (or in the units that a
    crosswalk leads to them: tiles, buildings), typed, each with its address in the source file. Zones that no list knows are in `int_zones__non_rapprochees`.
    Which source column feeds which variable, edition by edition, is data: the seed `variable_column`. Names compare
    without regard to case, as in raw tables: producers change it from one edition to the next.
    A cell under a declared correction (corrections/*.yml) takes the corrected value; `raw_value` stays the producer's.
    An empty cell takes its reason from the NOTE column the seed names, or from what is known of the dataset
    (`note_status`); without either it is `nd`. Only then does the note count, and is it kept beside.
    A cell that is neither a number nor a known mark is `illisible`: expectations on raw tables refuse it before, and
    the accepted statuses of figures after.
#}
{% macro observation(dataset) -%}
{%- set table = tables_statistiques()[dataset] -%}
with

wanted as (
    select * from {{ ref('variable_column') }}
    where dataset = '{{ dataset }}'
),

cell as (
    unpivot (
        select * from {{ ref(table.staging) }}
        {% if table.units -%}
        semi join {{ ref('crosswalk') }} as link on zone_level = link.from_level and zone_code = link.from_code
        {%- else -%}
        semi join {{ ref('dim_zone') }} using (zone_level, zone_code, generation)
        {%- endif %}
    )
    on columns(* exclude (
        zone_level, zone_code, generation, vintage, _zone_key, _source_sha256, _source_member, _source_row
    ))
    into name source_column value raw_value
),

utile as materialized (
    select * from cell
    where lower(source_column) in (
        select lower(source_column) from wanted
        union
        select lower(note_column) from wanted
    )
),

kept as (
    select
        utile.*,
        wanted.variable,
        wanted.variable_group,
        wanted.note_column,
        correction.correction_id,
        correction.action as correction_action,
        {{ valeur_corrigee(nombre('utile.raw_value')) }} as value
    from utile
    inner join wanted
        on
            lower(utile.source_column) = lower(wanted.source_column)
            and wanted.vintage in ('*', utile.vintage)
    left join {{ source('derived', 'corrections') }} as correction
        on
            correction.dataset = '{{ dataset }}'
            and utile.vintage = correction.vintage
            and utile.zone_code = correction.zone_code
            and lower(utile.source_column) = lower(correction.source_column)
),

note as (
    select
        _source_sha256,
        _source_row,
        source_column as note_column,
        raw_value as note_code
    from utile
    where lower(source_column) in (select lower(note_column) from wanted)
)

select
    '{{ dataset }}' as dataset,
    kept.vintage,
    kept.zone_level,
    kept.zone_code,
    kept.generation,
    kept.variable,
    kept.variable_group,
    kept.value,
    kept.raw_value,
    case
        when kept.value is not null then 'ok'
        when kept.correction_action = 'drop' then 'nd'
        when lower(trim(kept.raw_value)) = 'ns' then 'secret_primaire'
        when lower(trim(kept.raw_value)) = 'nd' then 'nd'
        when trim(kept.raw_value) != '' then 'illisible'
        else coalesce(note_status.status, 'nd')
    end as status,
    kept._source_sha256 as source_sha256,
    kept._source_member as source_member,
    kept._source_row as source_row,
    kept.source_column,
    {% if table.key -%}
    '{{ table.key }}' as key_column,
    kept._zone_key as key_value,
    {%- else -%}
    cast(null as varchar) as key_column,
    cast(null as varchar) as key_value,
    {%- endif %}
    case when kept.value is null and trim(kept.raw_value) = '' then note.note_column end as note_column,
    case when kept.value is null and trim(kept.raw_value) = '' then note.note_code end as note_value,
    kept.correction_id
from kept
left join note
    on
        kept._source_sha256 = note._source_sha256
        and kept._source_row = note._source_row
        and lower(kept.note_column) = lower(note.note_column)
left join {{ ref('note_status') }} as note_status
    on
        note_status.dataset in ('*', '{{ dataset }}')
        and coalesce(note.note_code, '') = coalesce(note_status.note_code, '')
{%- endmacro %}

{# The value that counts: the producer's, unless a declared correction replaces, scales or drops it. #}
{% macro valeur_corrigee(valeur) -%}
    case correction.action
        when 'override' then correction.corrected_value
        when 'scale' then correction.corrected_value * {{ valeur }}
        when 'drop' then null
        else {{ valeur }}
    end
{%- endmacro %}
