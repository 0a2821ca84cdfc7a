{#- Written by `make generate`. -#}
{{ staging_table_administrative('insee_caf_iris', 'IRIS', 'CODGEO') }}
