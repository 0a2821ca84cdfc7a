{{ observation('insee_filosofi_qpv') }}
