"""What messages mean for an update and what readers get of it. Pure: no I/O, no clock."""
