{# What travel times are counted in: modes as `travel_times` names them, with the suffix of their indicators. #}
{% macro modes() -%}
{{ return({'tc': 'TC', 'voiture': 'VOITURE', 'velo': 'VELO', 'marche': 'MARCHE'}) }}
{%- endmacro %}

{# Thresholds of cumulative opportunities, in minutes. #}
{% macro seuils_min() -%}
{{ return([15, 30, 45, 60]) }}
{%- endmacro %}
