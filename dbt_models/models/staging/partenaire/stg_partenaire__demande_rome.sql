select
    cast(null as varchar) as code_qpv, cast(null as varchar) as generation, cast(null as varchar) as code_rome,
    cast(null as integer) as n_demandeurs, cast(null as boolean) as masque, cast(null as varchar) as categorie,
    cast(null as date) as date_obs, cast(null as varchar) as source_sha256, cast(null as varchar) as source_member,
    cast(null as bigint) as source_row
where false
