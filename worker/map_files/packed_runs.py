"""COCO's compressed run lengths, as pycocotools' maskApi packs them."""

MOST_BITS = 60
"""Of a run length."""


def unpacked(text: str) -> list[int]:
    """Six bits a character, five of them a number's, every length from the third on told by its difference from the one
    before the last. Raises ValueError where a length is no number of pixels."""
    counts: list[int] = []
    place = 0
    while place < len(text):
        number, shift, more = 0, 0, True
        while more and place < len(text):
            if shift > MOST_BITS:
                raise ValueError("a run length is no number of pixels")
            bits = ord(text[place]) - 48
            number |= (bits & 0x1F) << shift
            more, place, shift = bool(bits & 0x20), place + 1, shift + 5
            if not more and bits & 0x10:
                number |= -1 << shift
        counts.append(number + counts[-2] if len(counts) > 2 else number)
    return counts
