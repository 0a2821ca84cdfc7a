select
    cast(null as varchar) as code_type_territoire, cast(null as varchar) as code_territoire,
    cast(null as varchar) as code_rome, cast(null as double) as n_demandeurs, cast(null as varchar) as periode
where false
