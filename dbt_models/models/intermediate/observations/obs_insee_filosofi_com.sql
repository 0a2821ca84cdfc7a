{{ observation('insee_filosofi_com') }}
