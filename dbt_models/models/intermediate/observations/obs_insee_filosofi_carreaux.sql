{{ observation('insee_filosofi_carreaux') }}
