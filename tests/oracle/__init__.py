"""The oracle: a model of what readers may see, observers of a running newsroom, faults, and a comparison of all that was seen."""
