//! Data structures that the rules need and the standard library does not have.

pub mod chunked_deque;
pub mod indexed_heap;
pub mod linked_list;
pub mod ordered_queue;
pub mod rank_set;
pub mod slab_map;
