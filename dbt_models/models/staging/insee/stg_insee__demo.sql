{{ staging_table_qpv('insee_demo') }}
