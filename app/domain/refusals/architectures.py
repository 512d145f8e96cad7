"""Descriptions of networks that are not taken: by name, by config.json."""

from app.domain.refusals.refusal import Refusal

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
ARCHITECTURE_REQUIRED = Refusal(
    "architecture-required",
    "No architecture was named",
    "Weights alone do not say which network they fit.",
    "Name it by architecture, as torchvision or timm do.",
)
