"""Parts of the figures for paper: fonts, the sheet, the map on it, labels, the side column, charts."""
