"""Why there is no score of two maps, where one of them or both say why there is none of their own."""

from app.domain.vocabulary import Reasons, UndefinedReason


def reasons_of(clean: Reasons, changed: Reasons) -> Reasons:
    """Undefined where either map is; the clean map's reason comes first."""
    return tuple(
        first or (UndefinedReason.CONSTANT_VIEW_MAP if second is UndefinedReason.CONSTANT_MAP else second)
        for first, second in zip(clean, changed, strict=True)
    )
