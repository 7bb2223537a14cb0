//! Settings: defaults, then a file, then the environment, then flags.
