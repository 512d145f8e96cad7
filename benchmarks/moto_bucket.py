"""A bucket of moto's with very many objects, served by moto over HTTP from a process of its own.

moto collects and sorts all keys of a bucket for every page that it lists: here it does so once, by its own code, since
nothing is put there any more. Its objects are put beside the bucket's door, not over HTTP, and share their content.
"""

import argparse
import copy
import logging
import sys
import threading
from functools import lru_cache

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends
from moto.server import ThreadedMotoServer

from benchmarks.endless_bucket import key

BUCKET = "bucket"


def fill(objects: int) -> None:
    """By the copies of one object of moto's."""
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    first = backend.put_object(BUCKET, key(0, objects), b"picture", disable_notification=True)
    assert first.etag
    bucket = backend.get_bucket(BUCKET)
    for number in range(1, objects):
        one = copy.copy(first)
        one.name = key(number, objects)
        bucket.keys[one.name] = one


def list_once() -> None:
    """What moto's own function answered is answered again."""
    S3Backend.list_objects = lru_cache(maxsize=1)(S3Backend.list_objects)  # type: ignore[method-assign]


def main() -> None:
    """Prints its address, and serves until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    fill(parser.parse_args().objects)
    list_once()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # which would tell of every page
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
