select
    cast(null as varchar) as code_rome, cast(null as varchar) as rome_version, cast(null as varchar) as libelle,
    cast(null as varchar) as code_parent_v3, cast(null as varchar) as grand_domaine
where false
