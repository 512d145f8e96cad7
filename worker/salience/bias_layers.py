"""Whether FullGrad can be computed: pytorch-grad-cam lays the biases of a network's modules beside the gradients of
what they put out, one by one.
"""

from torch import nn

from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook

_WITH_BIAS = (nn.Conv2d, nn.BatchNorm2d)
"""Of exactly these types, as the library has it."""


def passes_biases_in_order(hook: TargetHook) -> bool:
    """Whether a pass comes by every convolution and batch norm with a bias once, in the order of the modules, as far as
    numbers of channels tell.
    """
    wanted = [part for part in hook.module.modules() if type(part) in _WITH_BIAS and part.bias is not None]
    if any(isinstance(part, nn.BatchNorm2d) and part.running_mean is None for part in wanted):
        return False
    passed: list[nn.Module] = []
    handles = [part.register_forward_hook(lambda module, *_: passed.append(module)) for part in wanted]
    try:
        SalienceExtractor(hook).logits(hook.trial_images())
    finally:
        for handle in handles:
            handle.remove()
    return _channels(passed) == _channels(wanted)


def _channels(parts: list[nn.Module]) -> list[int]:
    return [len(part.bias) for part in parts if isinstance(part, _WITH_BIAS) and part.bias is not None]
