{# For tables of anomalies: each row is one to look at. #}
{% test aucune_ligne(model) %}
select * from {{ model }}
{% endtest %}
