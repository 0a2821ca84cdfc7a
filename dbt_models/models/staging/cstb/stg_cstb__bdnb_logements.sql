{#- Written by `make generate`. -#}
{{ staging_table_administrative('cstb_bdnb_logements', 'LOGEMENT', 'batiment_groupe_id') }}
