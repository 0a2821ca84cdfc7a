{{ observation('insee_demo') }}
