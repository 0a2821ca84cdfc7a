{#- Written by `make generate`. -#}
{{ staging_table_administrative('insee_cnam_iris', 'IRIS', 'CODGEO') }}
