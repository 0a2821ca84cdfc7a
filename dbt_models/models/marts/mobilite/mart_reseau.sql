{# What became of each street network and timetable: kept, out of place, out of date or refused, and why. #}
select
    dataset,
    vintage,
    file,
    kind,
    status,
    reason_fr,
    coalesce(problem, 'aucune') as problem,
    problem_count,
    problem_fr
from {{ source('derived', 'networks') }}
order by dataset, vintage, file, kind, problem
