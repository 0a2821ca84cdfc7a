{{ staging_table_qpv('insee_ipro') }}
