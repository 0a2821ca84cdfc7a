{{ indicateurs('couverture') }}
