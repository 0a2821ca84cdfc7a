{{ indicateurs('population') }}
