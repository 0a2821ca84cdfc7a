{#- Written by `make generate`. -#}
{{ staging_table_qpv('insee_revn', 'CODGEO') }}
