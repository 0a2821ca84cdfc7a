{{ observation('anct_analyse_qpv') }}
