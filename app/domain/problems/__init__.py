"""What requests are refused for, each with its code and its sentence: services raise them, OpenAPI shows them."""
