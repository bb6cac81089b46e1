"""The served study after the standards of OGC: features, and work that takes long."""
