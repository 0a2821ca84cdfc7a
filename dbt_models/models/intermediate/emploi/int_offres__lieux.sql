{# Posts by place and ROME: what distances are joined to, far fewer rows than offers. #}
select
    vintage,
    lieu_id,
    commune,
    code_rome,
    cast(sum(nb_postes) as double) as postes
from {{ ref('int_offres__retenues') }}
where lieu_id is not null and code_rome is not null
group by all
