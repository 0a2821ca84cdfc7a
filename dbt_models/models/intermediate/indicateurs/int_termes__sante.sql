{#- Written by `make generate`. -#}
{{ termes('sante') }}
