{#- Written by `make generate`. -#}
{{ observation('insee_filosofi_carreaux') }}
