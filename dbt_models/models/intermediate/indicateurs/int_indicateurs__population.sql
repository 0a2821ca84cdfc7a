{#- Written by `make generate`. -#}
{{ indicateurs('population') }}
