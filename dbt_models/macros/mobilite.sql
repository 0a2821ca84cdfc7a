{# What travel times are counted in: modes as `travel_times` names them, with the suffix of their indicators. #}
{% macro modes() -%}
{{ return({'tc': 'TC', 'voiture': 'VOITURE', 'velo': 'VELO', 'marche': 'MARCHE'}) }}
{%- endmacro %}

{# Thresholds of cumulative opportunities, in minutes. #}
{% macro seuils_min() -%}
{{ return([15, 30, 45, 60]) }}
{%- endmacro %}

{# What the origins of a zone add up to for one place, 0 where none counts; their order is nothing to it. #}
{% macro somme_origines(terme, filtre=none) -%}
coalesce({{ somme_exacte(terme, filtre, 12) }}, 0)
{%- endmacro %}
