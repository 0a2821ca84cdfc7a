{#- Written by `make generate`. -#}
{{ indicateurs('emploi') }}
