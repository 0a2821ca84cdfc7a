{#- Written by `make generate`. -#}
{{ observation('insee_iris_synthese') }}
