{{ observation('insee_filosofi_metropole') }}
