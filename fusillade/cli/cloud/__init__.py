"""The commands that speak to a platform's REST API."""
