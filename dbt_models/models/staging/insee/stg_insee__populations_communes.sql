{#- Written by `make generate`. -#}
{{ staging_table_administrative('insee_populations_communes', 'COM', 'COM') }}
