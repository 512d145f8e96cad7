"""ONNX graphs: read as data, judged, written anew as one canonical file, and run by onnxruntime.

Whatever imports onnx or onnxruntime (26 MB) is here, and is loaded for such models alone.
"""
