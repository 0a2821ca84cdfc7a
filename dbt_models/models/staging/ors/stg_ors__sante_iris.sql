{# Totals by IRIS, both sexes and all ages: what rates are made of. #}
{{ staging_table_administrative('ors_sante_iris', 'IRIS', 'code') }}
where "niveau" = 'IRIS' and "sexe" = '9' and "cla_age_5" = 'tsage'
