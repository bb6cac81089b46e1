"""Work that takes long, after OGC API - Processes: what may be asked, and the jobs that come of it."""
