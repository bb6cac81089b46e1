"""The map page: its colours, its words, its data and its assets; `maps.py` puts them together."""
