{{ staging_table_administrative('insee_filosofi_carreaux', 'CARREAU', code='"idcar_200m"') }}
