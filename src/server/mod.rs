//! The server: puts the rooms together, listens, and shuts down in order.
