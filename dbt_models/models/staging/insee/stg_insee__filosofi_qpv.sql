{# Editions write the key `codgeo` then `CODGEO`; DuckDB, blind to case, reads the second as CODGEO_1. #}
{{ staging_table_qpv('insee_filosofi_qpv', code='coalesce(codgeo, "CODGEO_1")', keys=('codgeo', 'CODGEO_1')) }}
