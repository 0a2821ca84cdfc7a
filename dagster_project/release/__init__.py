"""Release: write aside, audit, publish. A release is an immutable folder; `current` switches atomically."""
