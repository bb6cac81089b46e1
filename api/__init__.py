"""A study's coverage map over HTTP: a FastAPI application, thin over the package. `main.create_app` makes it."""
