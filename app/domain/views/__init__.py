"""The changes of an image by name: their families, what deforms it, what moves it. `worker.views` makes them."""
