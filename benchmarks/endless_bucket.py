"""A bucket of as many objects as one likes, which lists them as S3 does (ListObjectsV2) and keeps none.

Of a million objects moto takes minutes longer (`benchmarks.moto_bucket`), and no server keeps ten million on a small
machine.
"""

import argparse
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

PAGE: Final = 1000
LABELS: Final = 100
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def key(number: int, count: int) -> str:
    """In the order of the numbers: a hundred labels one after the other."""
    return f"images/label_{number * LABELS // count:03}/{number:09}.png"


def page(count: int, after: str) -> str:
    """The thousand objects behind that key."""
    first = 0 if not after else int(after.rpartition("/")[2].removesuffix(".png")) + 1
    last = min(first + PAGE, count)
    listed = "".join(
        f"<Contents><Key>{quote(key(number, count), safe='/')}</Key><LastModified>2026-11-30T00:00:00.000Z"
        f"</LastModified><ETag>&quot;{number:032x}&quot;</ETag><Size>{40_000 + number % 20_000}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(first, last)
    )
    is_cut = "true" if last < count else "false"
    return f'{HEAD}<ListBucketResult xmlns="{SPACE}"><IsTruncated>{is_cut}</IsTruncated>{listed}</ListBucketResult>'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count: int

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "versioning" in asked:
            body = f'{HEAD}<VersioningConfiguration xmlns="{SPACE}"/>'
        else:
            body = page(self.count, asked.get("start-after", [""])[0])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def main() -> None:
    """Prints its address, and serves until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    _Handler.count = parser.parse_args().objects
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
