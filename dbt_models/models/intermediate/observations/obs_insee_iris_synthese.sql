{{ observation('insee_iris_synthese') }}
