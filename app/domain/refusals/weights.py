"""Files of weights that are not taken: damaged, unsafe, of another tool."""

from app.domain.refusals.refusal import Refusal

AS_STATE_DICT = "Upload the weights as safetensors, or as torch.save(model.state_dict(), path)."

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
