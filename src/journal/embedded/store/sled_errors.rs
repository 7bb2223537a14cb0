//! Calls into sled: turns its errors and panics into errors of the disk or of damaged data.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::journal::JournalError;
use crate::journal::error::{damaged, disk_failed};

/// sled's error as ours.
pub(super) fn failed(error: sled::Error) -> JournalError {
    match error {
        sled::Error::Corruption { .. } => damaged("the store has a page whose checksum is wrong"),
        sled::Error::Io(error) => {
            let copied = error.to_string();
            let of_system = copied.starts_with(OS_ERROR).then(|| system_error(&copied));
            disk_failed("the store", of_system.flatten().as_ref().unwrap_or(&error))
        }
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => JournalError::Failed(format!("the store: {error}")),
    }
}

/// Texts in a panic that come from an error of the disk.
const DISK_PANICS: [&str; 3] = ["Io(", "Os {", "os error"];

/// How the debug form of an error of the system begins. sled keeps only this text of the error that its own threads
/// have met, and of one with which it panics.
const OS_ERROR: &str = "Os { code: ";

/// The error of the system whose debug form is in a text.
fn system_error(text: &str) -> Option<io::Error> {
    let (_, rest) = text.split_once(OS_ERROR)?;
    let (code, _) = rest.split_once(',')?;
    code.parse().ok().map(io::Error::from_raw_os_error)
}

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
    if let Some(error) = system_error(text) {
        return disk_failed("the store", &error);
    }
    if DISK_PANICS.iter().any(|mark| text.contains(mark)) {
        return JournalError::Failed(format!("the store: {text}"));
    }
    damaged(&format!("the store's pages cannot be read ({text})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: JournalError) -> String {
        match error {
            JournalError::Failed(why) => why,
            other @ (JournalError::Damaged(_) | JournalError::Unusable(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_error_that_sled_has_copied_is_said_in_the_words_of_the_system() {
        let io = io::Error::from_raw_os_error(5);
        let plain = said(failed(sled::Error::Io(io::Error::from_raw_os_error(5))));
        assert!(plain.starts_with("the store: ") && plain.ends_with("(os error 5)"));
        let copied = io::Error::new(io.kind(), format!("{io:?}"));
        assert_eq!(said(failed(sled::Error::Io(copied))), plain);
        let unwrapped = guarded::<()>(|| Err::<(), _>(io).map_or_else(|io| panic!("{io:?}"), Ok));
        assert_eq!(said(unwrapped.unwrap_err()), plain);
        let full = guarded::<()>(|| panic!("{:?}", io::Error::from_raw_os_error(28)));
        assert!(said(full.unwrap_err()).contains("Make room"));
        // An error that only names one of the system keeps its own text.
        let locked = io::Error::other("could not acquire lock: Os { code: 11, kind: WouldBlock }");
        let locked = said(failed(sled::Error::Io(locked)));
        assert!(locked.contains("could not acquire lock"), "{locked}");
    }
}
