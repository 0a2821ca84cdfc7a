{#
    Staging of a statistical table: one row per zone and edition, keys under our names, every cell kept as the
    producer wrote it under its source name, so that a figure can be walked back to its column.
    The total row ("Ensemble") becomes the zone level ENSQPV. `_zone_key` is the zone's code as the producer wrote it.
#}
{% macro staging_table_qpv(table, code='"CODGEO"', keys=('CODGEO',)) -%}
select
    case when upper(trim({{ code }})) = 'ENSEMBLE' then 'ENSQPV' else 'QPV' end as zone_level,
    case when upper(trim({{ code }})) = 'ENSEMBLE' then 'ENSEMBLE' else trim({{ code }}) end as zone_code,
    'QP2015' as generation,
    _vintage as vintage,
    {{ code }} as _zone_key,
    * exclude (_vintage, {% for key in keys %}"{{ key }}"{{ ', ' if not loop.last }}{% endfor %})
from {{ source('raw', table) }}
{%- endmacro %}

{% macro staging_table_administrative(table, zone_level, code='"CODGEO"') -%}
select
    '{{ zone_level }}' as zone_level,
    {{ code }} as zone_code,
    'COG' as generation,
    _vintage as vintage,
    {{ code }} as _zone_key,
    * exclude (_vintage)
from {{ source('raw', table) }}
{%- endmacro %}
