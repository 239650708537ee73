"""A plugin of pytest for the gate: a property that is slow on a busy machine is not a mutant that was seen."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
