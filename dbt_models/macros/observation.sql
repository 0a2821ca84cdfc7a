{#
    Observations of one dataset: the cells that indicators use, in the zones of the territory, typed, each with its
    address in the source file. Zones that no list knows are in `int_zones__non_rapprochees`.
    Which source column feeds which variable, edition by edition, is data: the seed `variable_column`.
    An empty cell takes its reason from the NOTE column the seed names, or from what is known of the dataset
    (`note_status`); without either it is `nd`.
    A cell that is neither a number nor a known mark is `illisible`: expectations on raw tables refuse it before, and
    the accepted statuses of figures after.
#}
{% macro observation(dataset) -%}
{%- set staging = tables_statistiques()[dataset] -%}
with

wanted as (
    select * from {{ ref('variable_column') }}
    where dataset = '{{ dataset }}'
),

cellule as (
    unpivot (
        select * from {{ ref(staging) }}
        semi join {{ ref('dim_zone') }} using (zone_level, zone_code, generation)
    )
    on columns(* exclude (zone_level, zone_code, generation, vintage, _source_sha256, _source_member, _source_row))
    into name source_column value raw_value
),

utile as materialized (
    select * from cellule
    where source_column in (
        select source_column from wanted
        union
        select note_column from wanted
    )
),

retenue as (
    select
        utile.*,
        wanted.variable,
        wanted.variable_group,
        wanted.note_column,
        {{ nombre('utile.raw_value') }} as value
    from utile
    inner join wanted
        on
            utile.source_column = wanted.source_column
            and wanted.vintage in ('*', utile.vintage)
),

note as (
    select
        _source_sha256,
        _source_row,
        source_column as note_column,
        raw_value as note_code
    from utile
    where source_column in (select note_column from wanted)
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
    on
        note_status.dataset in ('*', '{{ dataset }}')
        and coalesce(note.note_code, '') = coalesce(note_status.note_code, '')
{%- endmacro %}

{# Datasets whose cells feed indicators, each with its staging model. #}
{% macro tables_statistiques() -%}
{{ return({
    'insee_demo': 'stg_insee__demo',
    'insee_demo_plat': 'stg_insee__demo_plat',
    'insee_revn': 'stg_insee__revn',
    'insee_ipro': 'stg_insee__ipro',
    'insee_filosofi_qpv': 'stg_insee__filosofi_qpv',
    'insee_filosofi_com': 'stg_insee__filosofi_com',
    'insee_filosofi_epci': 'stg_insee__filosofi_epci',
    'insee_filosofi_dep': 'stg_insee__filosofi_dep',
    'insee_filosofi_reg': 'stg_insee__filosofi_reg',
    'insee_filosofi_metropole': 'stg_insee__filosofi_metropole',
    'insee_populations_communes': 'stg_insee__populations_communes',
    'anct_analyse_qpv': 'stg_anct__analyse_qpv',
}) }}
{%- endmacro %}
