"""What readers get of an update, in every form. Pure: no I/O, no clock."""
