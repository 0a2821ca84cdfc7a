{#
    A value lies between the bounds that its indicator declares (seed `indicator`): a part of a whole within 0 and
    100 %; parts of income beyond, since taxes count against them; taxes below 0.
#}
{% test valeurs_bornees(model) %}
select
    figure.indicator_code,
    figure.zone_level,
    figure.zone_code,
    figure.vintage,
    figure.value,
    indicator.minimum,
    indicator.maximum,
    figure.numerator,
    figure.denominator,
    figure.dataset
from {{ model }} as figure
inner join {{ ref('indicator') }} as indicator using (indicator_code)
where figure.value < indicator.minimum or figure.value > indicator.maximum
{% endtest %}
