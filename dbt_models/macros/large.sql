{#
    A wide mart: one row per zone and edition, one column per indicator. The contract in the model's YAML is the
    only list: each column names its indicator in `meta`.
#}
{% macro table_large(columns) -%}
select
    zone_level,
    zone_code,
    generation,
    vintage,
    {%- for column in columns.values() if (column.config.meta or column.meta).indicator %}
    max(value) filter (where indicator_code = '{{ (column.config.meta or column.meta).indicator }}') as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('indicator_value') }}
where indicator_code in (
    {%- for column in columns.values() if (column.config.meta or column.meta).indicator %}
    '{{ (column.config.meta or column.meta).indicator }}'{{ ',' if not loop.last }}
    {%- endfor %}
)
group by all
{%- endmacro %}
