//! The folder of scenarios and traces that is next to the repository and is not shipped.

use std::path::PathBuf;

/// Names the folder where it is not `../shared` beside the repository.
const SHARED: &str = "XIAOER_SHARED";

/// A file or folder of the shared folder, where there is one.
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(SHARED).map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    Some(folder.join(name)).filter(|path| path.exists())
}
