{#- Written by `make generate`. -#}
{{ indicateurs('revenus') }}
