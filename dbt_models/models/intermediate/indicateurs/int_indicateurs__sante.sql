{{ indicateurs('sante') }}
