{{ config(materialized='view') }}
{{ table_large(model.columns) }}
