{#
    One row per combination of columns; a null in a key counts as a value. Staging models keep the address of each
    row, so that a duplicate is shown with its lines in the producer's files.
#}
{% test cle_unique(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
    {%- if model.schema == 'staging' %},
    string_agg(_source_member || ' ligne ' || _source_row, ', ' order by _source_member, _source_row) as lignes
    {%- endif %}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
