"""`POST /what-if`: new, moved and closed places and trouble on the road, tried against today; nothing is kept."""
