select
    cast(null as varchar) as offre_id, cast(null as varchar) as source, cast(null as varchar) as code_rome,
    cast(null as varchar) as rome_version, cast(null as varchar) as intitule, cast(null as integer) as nb_postes,
    cast(null as varchar) as type_contrat, cast(null as varchar) as commune, cast(null as double) as lon,
    cast(null as double) as lat, cast(null as varchar) as precision, cast(null as date) as date_creation,
    cast(null as varchar) as entreprise, cast(null as varchar) as vintage, cast(null as varchar) as source_sha256,
    cast(null as varchar) as source_member, cast(null as bigint) as source_row
where false
