{# A cell that is neither a number nor a known mark: the file changed, or is damaged. Never read as empty. #}
{% test aucune_cellule_illisible(model) %}
select dataset, vintage, zone_code, source_column, source_row, source_member, raw_value
from {{ model }}
where status = 'illisible'
{% endtest %}
