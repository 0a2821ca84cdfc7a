{# Median income of IRIS, to compare zones of like income. Medians stay where they were published. #}
select zone_level as mesh, zone_code, value as median_income
from {{ ref('observation') }}
where variable = 'iris_med' and value is not null
