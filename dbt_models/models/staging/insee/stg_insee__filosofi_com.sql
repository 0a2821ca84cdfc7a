{#- Written by `make generate`. -#}
{{ staging_table_administrative('insee_filosofi_com', 'COM', 'CODGEO') }}
