{{ indicateurs('emploi') }}
