"""Push services that take an alert to a reader's device, a folder for each: `registry.py` lists them."""
