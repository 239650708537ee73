"""How copy arrives: pushed, polled, dropped into a folder, or announced by a hub."""
