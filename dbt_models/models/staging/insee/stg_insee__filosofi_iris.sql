{{ staging_table_administrative('insee_filosofi_iris', 'IRIS', code='"IRIS"') }}
