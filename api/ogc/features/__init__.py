"""OGC API - Features, Part 1: Core (17-069r4): the layers of the coverage map as collections."""
