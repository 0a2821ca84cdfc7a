"""What a build is: its digest, its lock, the program and the content behind them. Below everything that makes."""
