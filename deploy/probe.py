"""The health check of a container: 0 when the process in it says that it is ready, on the port of HEALTH_PORT."""

import http.client
import os
import sys

try:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["HEALTH_PORT"]), timeout=5)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    said = answer.read().decode(errors="replace")
except (OSError, http.client.HTTPException) as error:
    print(error)
    sys.exit(1)
if answer.status != 200:
    print(said)
    sys.exit(1)
