{{ observation('stg_anct__analyse_qpv', 'anct_analyse_qpv') }}
