{#- Written by `make generate`. -#}
{{ staging_table_qpv('insee_filosofi_qpv', 'CODGEO') }}
