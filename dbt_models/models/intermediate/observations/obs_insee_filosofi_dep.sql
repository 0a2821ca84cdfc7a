{{ observation('insee_filosofi_dep') }}
