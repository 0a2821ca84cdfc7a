{# Least count that a rule of the seed `secrecy_rule` lets be shown. What a partner hides is another matter: its
   convention says it, in the catalogue. #}
{% macro effectif_minimal(regle) -%}
(select least_count from {{ ref('secrecy_rule') }} where secrecy_rule = '{{ regle }}')
{%- endmacro %}
