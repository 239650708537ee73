"""The health check of a container: 0 when the process in it says that it is ready, on the port of HEALTH_PORT."""

import os
import sys
import urllib.error
import urllib.request

try:
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['HEALTH_PORT']}/readyz", timeout=2) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except urllib.error.HTTPError as error:
    print(error.read().decode(errors="replace"))
    sys.exit(1)
except OSError as error:
    print(error)
    sys.exit(1)
