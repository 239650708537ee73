"""HTTP: the server, the guarded client, problems, proxies, rates, query parameters and OpenAPI."""
