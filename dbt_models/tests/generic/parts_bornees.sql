{#
    A part of a whole lies between 0 and 100 %. Exempt: taxes (negative by convention), yearly changes, and the
    share of people covered by CAF, whose numerator and denominator have different dates.
#}
{% test parts_bornees(model) %}
select figure.*
from {{ model }} as figure
where
    figure.unit = '%'
    and figure.indicator_code not in ('REV_IMPOT', 'FILO_PIMPOT', 'DE_EVOL_A', 'DE_EVOL_ABC', 'CAF_TX_PERS')
    and (figure.value < 0 or figure.value > 100)
{% endtest %}
