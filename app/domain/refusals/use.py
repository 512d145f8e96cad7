"""Models that are not used as they are asked to be: by a CAM method, or against what their owner's code gave."""

from app.domain.refusals.refusal import Refusal

METHOD_NOT_POSSIBLE = Refusal(
    "cam-method-not-possible",
    "An audit asks for a CAM method that supposes another form of network, or, of an ONNX graph, gradients",
    "{method} is not possible for {model}: {why}.",
    "Ask for one of these: {possible}.",
)
REFERENCE_WITHOUT_TABLE = Refusal(
    "reference-invalid",
    "The archive of a reference has no table of what the owner's code gave, or several",
    "The archive has {count} files named outputs.jsonl.",
    "Put one beside the images, with a line for each: its path, and its class or outputs.",
)
REFERENCE_LINE = Refusal(
    "reference-invalid",
    "A line of outputs.jsonl cannot be used: no JSON, no such image or class, another number of outputs",
    "Line {line} of outputs.jsonl: {what}.",
    "A line is an object with the path of an image in the archive, and its class (name or index) or its outputs.",
)
REFERENCE_SIZE = Refusal(
    "reference-invalid",
    "outputs.jsonl is empty, or has more than 256 lines",
    "outputs.jsonl has {count} lines.",
    "Send 8 to 256 images, of two predicted classes or more.",
)
REFERENCE_IMAGE = Refusal(
    "reference-invalid",
    "An image of a reference cannot be read",
    "The image {name} cannot be read: {what}",
    "Send it as the file that your own code read.",
)
NOT_AS_DESCRIBED = Refusal(
    "model-not-as-described",
    "An audit is asked for, but what the model computes here is not what its owner's own code gave",
    "The model {model} is not as it was described: {agreeing} of {images} of its owner's predictions agree. {found}",
    "Register it again as it was trained, or send another reference.",
)
