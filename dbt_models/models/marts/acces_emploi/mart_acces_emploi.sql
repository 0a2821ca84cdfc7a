{#- Written by `make generate`. -#}
{{ config(materialized='view') }}
{{ table_large(model.columns) }}
