"""What the HTTP ports of all processes have in common: bounds, addresses of clients, rates, and how requests are read."""
