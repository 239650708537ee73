"""What an update says of an event, and how likely two report one."""
