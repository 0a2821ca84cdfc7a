{# A QPV of 2015 gives at most all of its inhabitants to those of 2024. #}
{% test poids_des_generations(model) %}
select from_code, sum(weight) as total
from {{ model }}
where from_level = 'QPV'
group by from_code
having sum(weight) > 1 + 1e-9
{% endtest %}
