{{ staging_table_qpv('insee_filosofi_qpv') }}
