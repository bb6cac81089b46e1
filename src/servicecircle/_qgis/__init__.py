"""How QGIS shows a plan: styles, names and a project inside the GeoPackage; `geopackages.py` writes them."""
