{{ observation('insee_filosofi_epci') }}
