"""Road times and distances by car, bicycle and foot: a network made once from an extract, engines that answer on it."""
