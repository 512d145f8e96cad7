"""Why a model is not taken: for every refusal its code, its cause, the sentence that the owner reads, the way out.

docs/models.md shows them as a table; a test holds the two together.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.errors import InputFailure

AS_STATE_DICT = "Upload the weights as safetensors, or as torch.save(model.state_dict(), path)."
_ONE_LINE = 200


@dataclass(frozen=True)
class Refusal:
    """``sentence`` and ``way_out`` have places in braces for what is known of this file."""

    code: str
    cause: str
    sentence: str
    way_out: str

    def failure(self, *, program: dict[str, object] | None = None, **facts: object) -> InputFailure:
        """``program`` goes into the problem as it is."""
        return InputFailure(self.code, self.detail(**facts), **(program or {}))

    def detail(self, **facts: object) -> str:
        """Sentence and way out; ``facts`` fill the places, each cut to a line but for tuples of our own words."""
        shown = {name: _short(fact) for name, fact in facts.items()}
        return f"{self.sentence.format(**shown)} {self.way_out.format(**shown)}"


def _short(fact: object) -> str:
    if isinstance(fact, tuple) and all(isinstance(each, StrEnum) for each in fact):
        return ", ".join(fact)
    text = fact if isinstance(fact, str) else str(fact)
    return text if len(text) <= _ONE_LINE else f"{text[:_ONE_LINE]}..."


DAMAGED = Refusal(
    "model-invalid",
    "The file is cut off, or not as its format wants it",
    "The file is damaged: {what}.",
    "Save it again and send all of it; the digest of the upload is shown as content_digest.",
)
UNSAFE = Refusal(
    "model-unsafe",
    "The file holds what no file of weights has use for, and what attacks are made of",
    "The file is not safe to read: {what}.",
    AS_STATE_DICT,
)
TENSOR_KIND = Refusal(
    "model-invalid",
    "A tensor is of a kind that no convolutional network computes with: complex, quantised, sparse, without numbers",
    "The tensor {name} is of a kind that is not read ({kind}).",
    "Save it as plain numbers: model.float().cpu(), of the network before quantisation, then state_dict().",
)
DUPLICATE_RECORD = Refusal(
    "archive-duplicate-entry",
    "Two records of the ZIP have one name",
    "Two records of the file have the name {name}.",
    AS_STATE_DICT,
)
EXPORTED_WITHOUT_WEIGHTS = Refusal(
    "model-format-not-accepted",
    "A .pt2 file that keeps its weights in no plain form: from before torch 2.8, or compiled by AOTInductor",
    "This exported program (.pt2) keeps its weights in a form that is not read.",
    "Export it with torch 2.8 or later, or upload torch.save(model.state_dict(), path).",
)
SCRIPT_WITHOUT_WEIGHTS = Refusal(
    "model-format-not-accepted",
    "A TorchScript file without its tensors' names: frozen, or optimised for inference",
    "This TorchScript file does not name its tensors: it was frozen or optimised.",
    "Upload torch.save(model.state_dict(), path) of the network before torch.jit.freeze.",
)
NOT_TORCH_ZIP = Refusal(
    "model-format-not-accepted",
    "A ZIP, but neither of torch.save nor of torch.export.save, and without shards and their index",
    "This ZIP holds no weights that torch wrote.",
    AS_STATE_DICT,
)
UNKNOWN_ZIP = Refusal(
    "model-format-not-accepted",
    "A ZIP of several files of weights without an index that says which tensor is where",
    "This ZIP holds neither one file of weights nor shards with their index (*.index.json).",
    "Put the shards and their index into one ZIP, or upload the weights as one file: "
    "safetensors, or torch.save(model.state_dict(), path).",
)
SHARD_MISSING = Refusal(
    "model-invalid",
    "The index names a shard that is not in the ZIP",
    "The index names the shard {name}, which is not in the ZIP.",
    "Put all shards and their index into one ZIP.",
)
FOREIGN = Refusal(
    "model-format-not-accepted",
    "A file of another tool: Keras, NumPy, GGUF, TFLite, gzip, 7z, tar; or ONNX that was registered as weights",
    "This is {kind}.",
    f'{AS_STATE_DICT} Register an ONNX file with format "onnx".',
)
RAW_PICKLE = Refusal(
    "model-unsafe",
    "A pickle that torch.save did not write",
    "This is a raw pickle, which could run code in whoever loads it.",
    AS_STATE_DICT,
)
SAFETENSORS_AS_TORCH = Refusal(
    "model-invalid",
    "A safetensors file that was registered as one of torch",
    "This looks like a safetensors file.",
    'Register it with format "safetensors".',
)
TORCH_AS_SAFETENSORS = Refusal(
    "model-invalid",
    "A ZIP, as torch writes them, that was registered as safetensors",
    "This is a ZIP, as torch.save writes them, and no safetensors file.",
    'Register it with format "state_dict".',
)
NOT_TORCH = Refusal(
    "model-invalid",
    "A file that no known tool wrote",
    "This is no file that torch wrote.",
    AS_STATE_DICT,
)
NO_TENSORS = Refusal(
    "model-invalid",
    "A file of torch, but no tensor in it has a name",
    "The file holds no state_dict: no tensor in it has a name.",
    AS_STATE_DICT,
)
NONFINITE = Refusal(
    "model-nonfinite-weights",
    "A weight is NaN or infinite, or becomes so as float32",
    "The tensor {name} holds NaN or infinity.",
    "Upload a checkpoint from before the training diverged.",
)
TOO_MANY_NUMBERS = Refusal(
    "model-invalid",
    "Tensors that claim more numbers than the file could hold (a stride of zero)",
    "The tensor {name} holds more numbers than the file.",
    "Save it with .contiguous().",
)
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
ARCHITECTURE_UNKNOWN = Refusal(
    "model-architecture-unknown",
    "The architecture is neither torchvision's nor timm's, nor a class of transformers that is read",
    "The architecture {name} is not known.",
    "{nearest}",
)
CONFIG_UNKNOWN = Refusal(
    "model-architecture-unknown",
    "`config` is no config.json of timm or transformers",
    "The {field} has neither an architecture, as timm's has, nor a model_type, as transformers' has.",
    "Send the object of the config.json that was saved with the weights, or describe the model by architecture.",
)
CONFIG_CODE = Refusal(
    "model-unsafe",
    "A config.json names code that its library would fetch and run: auto_map, custom_load",
    "{field} names code to run, and nothing that comes with a model is run here.",
    "Upload a network of torchvision, timm or transformers itself, and a config.json without this field.",
)
CONFIG_CLASS = Refusal(
    "model-architecture-unknown",
    "A config.json names a class of transformers that is not read, or none that classifies images",
    "{field} names {found}, which is no class that is read.",
    "Known are {known}.",
)
CONFIG_FIELD = Refusal(
    "architecture-options-invalid",
    "A field of config.json or preprocessor_config.json asks for what a registration has no words for",
    "{field} {what}.",
    "Say how it is by the fields of the registration, which go before those of the file; or leave the file out.",
)
CONFIG_INVALID = Refusal(
    "architecture-options-invalid",
    "A field of a config.json is beyond its limits, or the library makes no network of it",
    "The config of {name} is not usable: {what}.",
    "Send the config.json that was saved with the weights.",
)
TOO_MANY_LAYERS = Refusal(
    "architecture-options-invalid",
    "A network of so many layers that to make it would take minutes",
    "The network has too many layers: to look at it takes more than {most} tensors.",
    "See that the numbers of layers and blocks are those of the weights.",
)
NO_CLASSIFIER = Refusal(
    "model-architecture-unknown",
    "The architecture has no layer of classes",
    "{architecture} has no classifier.",
    "Name an architecture that classifies.",
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
BAD_SAFETENSORS = Refusal(
    "model-invalid",
    "A safetensors file that is cut off, or whose header does not fit its bytes",
    "The file is not a valid safetensors file: {what}.",
    "Write it again with safetensors.torch.save_file(model.state_dict(), path).",
)
FORMAT_UNKNOWN = Refusal(
    "model-format-not-accepted",
    "`format` names a format that is not read",
    "This format is not accepted.",
    AS_STATE_DICT,
)
ARCHITECTURE_REQUIRED = Refusal(
    "architecture-required",
    "No architecture was named",
    "Weights alone do not say which network they fit.",
    "Name it by architecture, as torchvision or timm do.",
)
NO_GRAPH = Refusal(
    "model-invalid",
    "A file that was registered as ONNX and is none, nor a ZIP with one .onnx file",
    "This is neither an ONNX file nor a ZIP with one .onnx file and its data.",
    'Register weights with format "safetensors" or "state_dict"; or export the network by torch.onnx.export.',
)
GRAPH_DAMAGED = Refusal(
    "model-invalid",
    "An ONNX file that is cut off, or not as its format wants it; or that onnxruntime cannot load",
    "The ONNX file is damaged: {what}.",
    "See what onnx.checker.check_model(path) says, export it again and send all of it.",
)
GRAPH_UNSAFE = Refusal(
    "model-unsafe",
    "An ONNX file with more messages, nodes or numbers than a network has, or data outside of its ZIP",
    "The ONNX file is not safe to read: {what}.",
    "Export it again by torch.onnx.export; put a file with external data into one ZIP with its data beside it, or "
    "write one file by onnx.save(onnx.load(path), one_path).",
)
GRAPH_TENSOR = Refusal(
    "model-invalid",
    "The shape of a tensor in an ONNX file does not fit its bytes",
    "The tensor {name} of the ONNX file has {found} bytes, not {expected}.",
    "Export it again and send all of it; external data belongs beside the file in one ZIP.",
)
GRAPH_OPERATOR = Refusal(
    "onnx-not-supported",
    "An operator that is not run: control flow, random numbers, sizes that depend on the numbers, other domains",
    "The operator {operator} is not run here.",
    "Export the network alone, in eval mode, with plain operators of the domain ai.onnx: without control flow, and "
    "without what comes before or after the network.",
)
GRAPH_FUNCTIONS = Refusal(
    "onnx-not-supported",
    "An ONNX file with functions, training information or sparse tensors",
    "The ONNX file has {what}, which are not read.",
    "Write functions out by onnx.inliner.inline_local_functions(model), or export it again by torch.onnx.export.",
)
GRAPH_VERSION = Refusal(
    "onnx-not-supported",
    "An opset that is older or newer than those that are read",
    "The ONNX file is of opset {opset}; {oldest} to {newest} are read.",
    "Export it with opset_version={newest}, or convert it by onnx.version_converter.convert_version(model, {newest}).",
)
GRAPH_TENSOR_KIND = Refusal(
    "onnx-not-supported",
    "Numbers of a kind that salience is not computed with: half precision, quantised, text",
    "The tensor {name} of the ONNX file is of type {kind}.",
    "Export the network as float32, before any quantisation or conversion to half precision.",
)
GRAPH_INPUT = Refusal(
    "onnx-not-supported",
    "The graph does not take one batch of images as float32, of the size that `input_size` says",
    "The graph takes {found}, not float32 images [batch, 3, {height}, {width}] or [batch, {height}, {width}, 3], or "
    "of one channel.",
    "Send the input_size that it was exported with, or export it with one input of such images.",
)
GRAPH_OUTPUT = Refusal(
    "onnx-not-supported",
    "The graph has several outputs, and nothing says which has the classes",
    "The graph has {count} outputs: {names}.",
    "Export the network with the one output that has the classes.",
)
GRAPH_MIXES_IMAGES = Refusal(
    "onnx-not-supported",
    "What the graph computes of an image depends on the other images of its batch",
    "An image's outputs change with the other images of its batch.",
    "Export the network in eval mode, with a free batch: dynamic_axes or dynamic_shapes of torch.onnx.export.",
)
GRAPH_WITHOUT_MAPS = Refusal(
    "onnx-not-supported",
    "No one feature map is what the outputs depend on: tokens, several maps, or shapes that are told from the images'",
    "Salience of an ONNX graph is taken where a feature map enters a global pooling, followed by one linear layer, or "
    "at the one feature map through which its outputs depend on the images: {found}.",
    "Send the weights with format safetensors or state_dict and the architecture, where any layer can be explained.",
)
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

REFUSALS: tuple[Refusal, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Refusal))
"""All of them, in the order of this file."""
