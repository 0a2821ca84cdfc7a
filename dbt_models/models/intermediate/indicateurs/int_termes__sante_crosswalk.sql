{#- Written by `make generate`. -#}
{{ termes_crosswalk('sante') }}
