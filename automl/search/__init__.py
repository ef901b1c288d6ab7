"""The staged search: one clock, one space, two tuners, every trial in one Optuna study."""
