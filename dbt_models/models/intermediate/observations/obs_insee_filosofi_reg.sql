{{ observation('stg_insee__filosofi_reg', 'insee_filosofi_reg') }}
