"""Parts of the proposal: what it says, in blocks, and how the blocks become a document or a page."""
