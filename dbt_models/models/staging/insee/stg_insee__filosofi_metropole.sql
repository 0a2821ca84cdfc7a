{{ staging_table_administrative('insee_filosofi_metropole', 'FRM', code="'FRM'") }}
