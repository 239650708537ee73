"""What operators type: one command above all the services. It imports none of them; it asks their ports and servers."""
