{{ observation('stg_insee__filosofi_metropole', 'insee_filosofi_metropole') }}
