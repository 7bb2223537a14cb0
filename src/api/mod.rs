//! The HTTP door (contract, sections 5 and 6).
