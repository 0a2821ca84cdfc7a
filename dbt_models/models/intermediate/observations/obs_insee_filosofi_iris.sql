{{ observation('insee_filosofi_iris') }}
