"""Fusillade's core: everything that neither Ray nor FastAPI is needed for."""

__version__ = "0.1.0"
