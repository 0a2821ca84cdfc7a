{#- Written by `make generate`. -#}
{{ observation('cstb_bdnb_logements') }}
