{#- Written by `make generate`. -#}
{{ observation('anct_analyse_qpv') }}
