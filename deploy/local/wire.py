"""The sample's outside world: serves the pictures and feeds that the wire refers to, on the loopback interface."""

import email.utils
import http.server
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyvips

from local.child import die_with_parent
from local.replay import filled

SAMPLE = Path(__file__).resolve().parent / "sample"
TYPES = {".xml": "application/xml", ".jpg": "image/jpeg"}
NOTICE_AGE = timedelta(minutes=30)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET for `/pictures/NAME.jpg` and `/feeds/NAME.xml`."""

    started_at = datetime.now(UTC)
    drawn: dict[str, bytes] = {}  # noqa: RUF012 -- one for the process

    def do_GET(self) -> None:
        """Serve one file of the sample."""
        path = Path(self.path.partition("?")[0])
        body = self._body(path)
        if body is None:
            self.send_error(404)
            return
        tag = f'"{zlib.crc32(body):08x}"'
        if self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.send_header("ETag", tag)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", TYPES[path.suffix])
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body)

    def _body(self, path: Path) -> bytes | None:
        folder, suffix = path.parent.name, path.suffix
        if (folder, suffix) == ("feeds", ".xml"):
            return self._feed(SAMPLE / "feeds" / path.name)
        drawing = SAMPLE / folder / f"{path.stem}.svg"
        if (folder, suffix) != ("pictures", ".jpg") or not drawing.is_file():
            return None
        if path.stem not in self.drawn:
            self.drawn[path.stem] = pyvips.Image.svgload(str(drawing)).flatten().jpegsave_buffer(Q=86)
        return self.drawn[path.stem]

    def _feed(self, file: Path) -> bytes | None:
        if not file.is_file():
            return None
        assert isinstance(self.server, http.server.HTTPServer)
        text = filled(file.read_text(), self.started_at, wire=f"http://127.0.0.1:{self.server.server_port}")
        earlier = self.started_at - NOTICE_AGE
        return text.replace("@rfc822@", email.utils.format_datetime(earlier)).encode()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 -- the name of the overridden one
        """One line for each request, on standard error."""
        print(format % arguments, file=sys.stderr, flush=True)


def draw_avatars(folder: Path) -> None:
    """Put the avatars of the author directory where the site serves pictures from."""
    folder.mkdir(parents=True, exist_ok=True)
    for drawing in (SAMPLE / "avatars").glob("*.svg"):
        pyvips.Image.svgload(str(drawing)).flatten().pngsave(str(folder / f"{drawing.stem}.png"))


def main(port: int, media: Path) -> None:
    """Serve until ended."""
    die_with_parent()
    draw_avatars(media / "avatars")
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
