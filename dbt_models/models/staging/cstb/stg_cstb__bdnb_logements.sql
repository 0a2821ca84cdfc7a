{{ staging_table_administrative('cstb_bdnb_logements', 'LOGEMENT', code='"batiment_groupe_id"') }}
