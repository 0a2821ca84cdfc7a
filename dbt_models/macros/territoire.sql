{# True for rows whose département belongs to the territory of the run; all of France when none is named. #}
{% macro dans_le_territoire(departement) -%}
    {%- set codes = env_var('DQ_DBT_DEPARTEMENTS', '') -%}
    {%- if codes -%}
        {{ departement }} in ('{{ codes.split(',') | join("', '") }}')
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
