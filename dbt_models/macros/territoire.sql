{# True for rows whose département belongs to the territory of the run; all of France when none is named. #}
{% macro dans_le_territoire(departement) -%}
    {%- if var('departements') -%}
        {{ departement }} in ({% for code in var('departements') %}'{{ code }}'{{ ', ' if not loop.last }}{% endfor %})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
