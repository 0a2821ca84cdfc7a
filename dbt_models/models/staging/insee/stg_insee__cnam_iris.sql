{{ staging_table_administrative('insee_cnam_iris', 'IRIS') }}
