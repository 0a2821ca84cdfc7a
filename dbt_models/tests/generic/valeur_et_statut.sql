{# A value is present if, and only if, the status says so; an absent one always has its reason. #}
{% test valeur_et_statut(model) %}
select *
from {{ model }}
where (value is not null) != (status in ('ok', 'estime')) or isnan(value) or isinf(value)
{% endtest %}
