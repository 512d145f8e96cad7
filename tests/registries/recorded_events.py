"""Whole bodies, as the senders' documents print them."""

from typing import Any

Json = dict[str, Any]

# "Model package state change" of Amazon's developer guide for SageMaker (automating-sagemaker-with-eventbridge). It
# prints ``source`` twice, the second time as the list that a rule has; here it is once, as in its other events.
SAGEMAKER: Json = {
    "version": "0",
    "id": "844e2571-85d4-695f-b930-0153b71dcb42",
    "detail-type": "SageMaker Model Package State Change",
    "source": "aws.sagemaker",
    "account": "123456789012",
    "time": "2021-02-24T17:00:14Z",
    "region": "us-east-2",
    "resources": ["arn:aws:sagemaker:us-east-2:123456789012:model-package/versionedmp-p-idy6c3e1fiqj/2"],
    "detail": {
        "ModelPackageGroupName": "versionedmp-p-idy6c3e1fiqj",
        "ModelPackageVersion": 2,
        "ModelPackageArn": "arn:aws:sagemaker:us-east-2:123456789012:model-package/versionedmp-p-idy6c3e1fiqj/2",
        "CreationTime": "2021-02-24T17:00:14Z",
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": "257758044811.dkr.ecr.us-east-2.amazonaws.com/sagemaker-xgboost:1.0-1-cpu-py3",
                    "ImageDigest": "sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004",
                    "ModelDataUrl": "s3://sagemaker-project-p-idy6c3e1fiqj/versionedmp-p-idy6c3e1fiqj/AbaloneTrain/"
                    "pipelines-4r83jejmhorv-TrainAbaloneModel-xw869y8C4a/output/model.tar.gz",
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "Rejected",
        "MetadataProperties": {
            "GeneratedBy": "arn:aws:sagemaker:us-east-2:123456789012:pipeline/versionedmp-p-idy6c3e1fiqj/execution/"
            "4r83jejmhorv"
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": "s3://sagemaker-project-p-idy6c3e1fiqj/versionedmp-p-idy6c3e1fiqj/"
                    "script-2021-02-24-10-55-15-413/output/evaluation/evaluation.json",
                }
            }
        },
        "LastModifiedTime": "2021-02-24T17:00:14Z",
    },
}

# "ModelRegistered" in the cloud event schema of Microsoft's event-schema-machine-learning.
AZURE: Json = {
    "source": "/subscriptions/{subscription-id}/resourceGroups/{resource-group-name}/providers/"
    "Microsoft.MachineLearningServices/workspaces/{workspace-name}",
    "subject": "models/sklearn_regression_model:20",
    "type": "Microsoft.MachineLearningServices.ModelRegistered",
    "time": "2017-06-26T18:41:00.9584103Z",
    "id": "831e1650-001e-001b-66ab-eeb76e069631",
    "data": {
        "ModelName": "sklearn_regression_model",
        "ModelVersion": 20,
        "ModelTags": {"area": "diabetes", "type": "regression"},
        "ModelProperties": {"type": "test"},
    },
    "specversion": "1.0",
}

# Of Weights & Biases the body is the user's: this is the payload of docs/registries.md with its variables filled in as
# W&B documents them. ``alias`` and ``tag`` are empty where none was added.
WANDB: Json = {
    "model": "faces",
    "version": "acme/model-registry/faces:v3",
    "alias": "audit",
    "tags": {"tag": ""},
    "source": "s3://faces-models/runs/8f3a/",
}
