{{ observation('stg_insee__filosofi_qpv', 'insee_filosofi_qpv') }}
