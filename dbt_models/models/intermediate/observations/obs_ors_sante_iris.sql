{{ observation('ors_sante_iris') }}
