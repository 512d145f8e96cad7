"""What a store that speaks S3 answers: lists of objects and errors, as XML."""

from collections.abc import Callable
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from app.egress.answers import Answer, malformed

Decoder = Callable[[str], str]


def spoken(answer: Answer) -> tuple[str | None, str]:
    """What an answer about no bucket is, and its code where it is an error; None of a server that is no such store."""
    try:
        root = fromstring(answer.body)
    except (ParseError, DefusedXmlException, ValueError):
        # Amazon's own sends whoever shows no key to a page for people.
        return ("Redirect" if "x-amz-request-id" in answer.headers else None), ""
    kind = root.tag.rpartition("}")[2]
    return (kind, root.findtext("{*}Code") or "") if kind in {"ListAllMyBucketsResult", "Error"} else (None, "")


def parsed(body: bytes) -> Element:
    """Raises EgressFailure."""
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise malformed("it is no XML") from error
    return root


def text_of(element: Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""


def decoder(root: Element) -> Decoder:
    """Of the answer's keys. Encoded they are as form fields: a space is a plus on Amazon's servers, ``%20`` on others;
    and a store may not encode what it was asked to."""
    return unquote_plus if text_of(root, "EncodingType") == "url" else str


def key_of(element: Element, decoded: Decoder) -> str:
    return decoded(text_of(element, "Key"))


def size_of(element: Element) -> int:
    """Raises EgressFailure."""
    text = text_of(element, "Size")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise malformed("it lists an object without a size")
    return int(text)
