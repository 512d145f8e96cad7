"""Reports: an audit or a comparison as one page that a person reads, and its figures.

The API gathers a job (``gathering.py``, ``gallery.py``); a process of its own draws it (``renderer.py`` starts
``draw.py``), since matplotlib takes seconds and must neither hold up nor swell the API.
"""
