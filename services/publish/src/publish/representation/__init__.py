"""What readers get of an update: `ReaderUpdate`, and the forms that are made of it. Pure: no I/O, no clock."""
