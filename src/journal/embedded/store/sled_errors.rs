//! Calls into sled: turns its errors and panics into errors of the disk or of damaged data.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::journal::JournalError;
use crate::journal::error::{damaged, disk_failed};

/// sled's error as ours.
pub(super) fn failed(error: sled::Error) -> JournalError {
    match error {
        sled::Error::Corruption { .. } => damaged("the store has a page whose checksum is wrong"),
        sled::Error::Io(error) => disk_failed("the store", &error),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => JournalError::Failed(format!("the store: {error}")),
    }
}

/// Texts in a panic that come from an error of the disk.
const DISK_PANICS: [&str; 3] = ["Io(", "Os {", "os error"];

thread_local! {
    /// Whether this thread is in a call into sled.
    static IN_SLED: Cell<bool> = const { Cell::new(false) };
}

/// Silences the panic messages of sled: they become errors.
pub(super) fn silence_sled_panics() {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IN_SLED.get() {
                others(panic);
            }
        }));
    });
}

/// Calls sled, which may panic on damaged bytes and on a failing disk.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, JournalError> {
    IN_SLED.set(true);
    let called = catch_unwind(AssertUnwindSafe(call));
    IN_SLED.set(false);
    match called {
        Ok(result) => result.map_err(failed),
        Err(panic) => Err(panicked(&*panic)),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> JournalError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    if DISK_PANICS.iter().any(|mark| text.contains(mark)) {
        return JournalError::Failed(format!("the store: {text}"));
    }
    damaged(&format!("the store's pages cannot be read ({text})"))
}
