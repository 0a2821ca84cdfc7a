{# Themes of indicators: each has its formulas in the seed `indicator_term`, its wide mart and its models. #}
{% macro themes() -%}
{{ return(['population', 'revenus', 'couverture', 'emploi', 'sante']) }}
{%- endmacro %}
