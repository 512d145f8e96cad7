"""Which classes of Hugging Face's transformers are read, each with the ``model_type`` of its configuration."""

MODEL_TYPES = {
    "BeitForImageClassification": "beit",
    "ConvNextForImageClassification": "convnext",
    "ConvNextV2ForImageClassification": "convnextv2",
    "DeiTForImageClassification": "deit",
    "DeiTForImageClassificationWithTeacher": "deit",
    "Dinov2ForImageClassification": "dinov2",
    "Dinov2WithRegistersForImageClassification": "dinov2_with_registers",
    "EfficientNetForImageClassification": "efficientnet",
    "MobileNetV1ForImageClassification": "mobilenet_v1",
    "MobileNetV2ForImageClassification": "mobilenet_v2",
    "MobileViTForImageClassification": "mobilevit",
    "PvtV2ForImageClassification": "pvt_v2",
    "RegNetForImageClassification": "regnet",
    "ResNetForImageClassification": "resnet",
    "SwinForImageClassification": "swin",
    "Swinv2ForImageClassification": "swinv2",
    "ViTForImageClassification": "vit",
}
"""Those of which tests compare outputs with the library's own, and know the layer that maps are taken from."""
