"""Where tensors live."""

import torch


def pick_device(wanted: str) -> torch.device:
    """``auto`` takes the GPU where there is one."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)
