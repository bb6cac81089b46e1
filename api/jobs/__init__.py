"""Work that takes long: asked for over HTTP, done in a process of its own, remembered in the store."""
