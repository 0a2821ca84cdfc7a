{#
    One row per combination of columns; a null in a key counts as a value. Staging models keep the address of each
    row (`adresse` begins the names of its columns), so that a duplicate is shown with its lines in the producer's files.
#}
{% test cle_unique(model, columns, adresse='_source') %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
    {%- if model.schema == 'staging' %},
    string_agg(
        {{ adresse }}_member || ' ligne ' || {{ adresse }}_row, ', ' order by {{ adresse }}_member, {{ adresse }}_row
    ) as lignes
    {%- endif %}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
