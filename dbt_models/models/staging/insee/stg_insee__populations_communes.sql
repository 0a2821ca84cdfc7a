{{ staging_table_administrative('insee_populations_communes', 'COM', code='"COM"') }}
