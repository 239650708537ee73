"""A plugin of pytest for the gate: a property that is slow on a busy machine is not a mutant that was seen, and one that fails
need not be made small."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
settings.load_profile("patient")
