{# One row per combination of columns; a null in a key counts as a value. #}
{% test cle_unique(model, columns) %}
select {{ columns | join(', ') }}, count(*) as n_rows
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
