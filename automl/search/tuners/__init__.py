"""What proposes the settings of trials: Optuna and KerasTuner behind one interface."""
