"""What a worker needs of its machine: device, models, images."""
