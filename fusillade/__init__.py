"""Fusillade's core: everything that neither Ray nor FastAPI is needed for."""

from importlib.metadata import version

__version__ = version("fusillade")
