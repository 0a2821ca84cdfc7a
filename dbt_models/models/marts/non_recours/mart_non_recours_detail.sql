{#
    Each estimate of non-take-up as its model made it: class where the interval is too wide for a number, what each
    method gives, the reason for no number, and the alarm of a rate out of bounds.
#}
select
    indicator_code,
    zone_level,
    zone_code,
    generation,
    vintage,
    value,
    ci_low,
    ci_high,
    classe,
    value_c1_spline,
    value_c1_gb2,
    value_c2,
    income_year,
    alarm as alarme,
    status,
    motif,
    model_version
from {{ ref('int_modele__non_recours') }}
where sortie = 'estimation'
order by indicator_code, zone_level, zone_code, generation, vintage
