{{ observation('insee_ipro') }}
