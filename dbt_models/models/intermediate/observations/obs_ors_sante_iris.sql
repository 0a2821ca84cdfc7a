{#- Written by `make generate`. -#}
{{ observation('ors_sante_iris') }}
