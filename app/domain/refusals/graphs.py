"""ONNX files that are not taken."""

from app.domain.refusals.refusal import Refusal

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
