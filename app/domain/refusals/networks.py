"""Weights that are not those of the network that was named."""

from app.domain.refusals.refusal import Refusal

AMBIGUOUS = Refusal(
    "model-weights-ambiguous",
    "Several sets of weights in the file fit the network, such as a model and its running average",
    "{count} sets of weights in the file fit {architecture}: {keys}.",
    "Name one of them by weights_key.",
)
KEY_UNKNOWN = Refusal(
    "model-architecture-mismatch",
    "`weights_key` names nothing in the file",
    "The file has no tensors under the weights_key {key}.",
    "The file has tensors under: {keys}.",
)
LEFT_OVER = Refusal(
    "model-architecture-mismatch",
    "The file has tensors beside the network that nobody asked to ignore, such as a second head",
    "{architecture} fits, but {count} more tensor(s) are left over, the first {first}.",
    'Where the network does without them, say so: "ignore_tensors": {patterns}. '
    "Where they are the head that counts, ignore the network's own in the same way: {own}.",
)
HEAD_AMBIGUOUS = Refusal(
    "model-head-unknown",
    "In place of the classifier there are several layers, and an activation may be between them, which no file shows",
    "In place of {module} the file has {layers}; layers without weights, such as an activation, are in no file.",
    'Name all layers in their order; this head would fit: "head": {head}.',
)
HEAD_OTHER = Refusal(
    "model-head-unknown",
    "`head` names other layers than the file has",
    "The head that was declared is not the file's, which has {layers} in place of {module}.",
    "{advice}",
)
HEAD_UNKNOWN = Refusal(
    "model-head-unknown",
    "In place of the classifier there are layers that are no chain of linear layers and norms",
    "In place of {module} the file has {layers}: no linear layers and norms that follow one another.",
    "Name what the network does without by ignore_tensors, or send a network whose head is a torch.nn.Sequential.",
)
TRANSFORMED = Refusal(
    "model-architecture-mismatch",
    "A whole module in the file has a layer that the named network has otherwise",
    "The module {name} has {field} {found} in the file, but {expected} in {architecture}.",
    "Name the architecture that the module was made of, or upload what fits this one.",
)
CLASSIFIER_MISSING = Refusal(
    "model-architecture-mismatch",
    "The layer of classes is not in the file, or is empty",
    "The tensor {name} is missing or empty: the number of classes is read off it.",
    "Upload the whole state_dict of the network, its last layer included.",
)
MISSING = Refusal(
    "model-architecture-mismatch",
    "The file lacks tensors that the architecture has",
    "{count} tensor(s) missing from the file, the first {first}.",
    "See that {architecture} is the network that the weights were trained in, and that the file has all of them.",
)
UNEXPECTED = Refusal(
    "model-architecture-mismatch",
    "The file has tensors that the architecture has not",
    "{count} tensor(s) in the file, but not in the architecture, the first {first}.",
    "See that {architecture} is the network; name by ignore_tensors what it does without.",
)
OTHER_SHAPE = Refusal(
    "model-architecture-mismatch",
    "A tensor has another shape than in the architecture",
    "{count} tensor(s) of another shape, the first {first}.",
    "See that {architecture} is the network that the weights were trained in. Where it was built with other arguments, "
    "send them as architecture_options; it has: {options}.",
)
STATIC_PADDING = Refusal(
    "model-architecture-mismatch",
    "efficientnet_pytorch pads for the image size of its network, whatever the size of the input; others do not",
    "efficientnet_pytorch pads {name} as images of {own} pixels need it, which at {size} is another network.",
    "Send an input_size of {own}, as the weights were published. Where the network was made for another image_size, "
    "upload its weights by the names of {architecture}.",
)
GREY = Refusal(
    "model-architecture-mismatch",
    "The first convolution takes one channel: the network was trained on grey images",
    "The network takes images of one channel, but preprocessing {what}.",
    'Register it again with "channels": "grey" in preprocessing, and one mean and one std.',
)
OTHER_TYPE = Refusal(
    "model-architecture-mismatch",
    "A tensor holds whole numbers where the architecture computes with fractions, or the other way round",
    "{count} tensor(s) of another type, the first {first}.",
    "Save the weights as floating point: model.float().state_dict().",
)
