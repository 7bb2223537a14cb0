//! Keys: who may do what, over which shop.
