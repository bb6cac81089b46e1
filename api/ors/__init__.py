"""The openrouteservice shape, for programs that speak it: isochrones and matrices of the served study's roads."""
