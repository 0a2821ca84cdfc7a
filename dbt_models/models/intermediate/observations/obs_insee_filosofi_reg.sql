{{ observation('insee_filosofi_reg') }}
