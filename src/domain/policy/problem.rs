//! Problems of a policy: each with the path of its key, in both languages.

use std::fmt;

/// The maximum number of problems that are listed.
pub const PROBLEMS_MAX: usize = 20;

/// The maximum length of the problem list in a message, in bytes. The first problem is always complete.
pub const MESSAGE_BYTES_MAX: usize = 4096;

/// Why a policy is rejected (`policy_invalid`): its problems, up to [`PROBLEMS_MAX`].
///
/// The message is in English: each problem as `path: expected form`, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyError {
    problems: Vec<PolicyProblem>,
    is_cut: bool,
}

/// One problem of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The path of the invalid key: keys and map names joined by dots. It ends at the key of an array.
    pub path: String,
    /// The expected form.
    pub expected: Wording,
}

/// A part of a sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// English.
    pub english: String,
    /// Chinese.
    pub chinese: String,
}

impl PolicyError {
    /// An error with one problem.
    pub fn one(path: String, expected: impl Into<Wording>) -> PolicyError {
        let mut error = PolicyError::default();
        error.add(path, expected);
        error
    }

    /// All problems, at least one and at most [`PROBLEMS_MAX`], in the order of the keys.
    pub fn problems(&self) -> &[PolicyProblem] {
        &self.problems
    }

    /// Whether there may be more problems than listed.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Adds a problem, unless it is already listed.
    pub(super) fn add(&mut self, path: String, expected: impl Into<Wording>) {
        let expected = expected.into();
        let problem = PolicyProblem { path, expected };
        if !self.problems.contains(&problem) && !self.stops() {
            self.problems.push(problem);
        }
    }

    /// Whether the list is full, so that the rest need not be checked. Records that the list is cut.
    pub(super) fn stops(&mut self) -> bool {
        let is_full = self.problems.len() >= PROBLEMS_MAX;
        self.is_cut |= is_full;
        is_full
    }
}

impl<E: Into<String>, C: Into<String>> From<(E, C)> for Wording {
    fn from((english, chinese): (E, C)) -> Wording {
        Wording {
            english: english.into(),
            chinese: chinese.into(),
        }
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.expected.english)
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut written, mut is_cut) = (0, self.is_cut);
        for problem in &self.problems {
            let between = if written == 0 { "" } else { "; " };
            let next = format!("{between}{problem}");
            if written > 0 && written + next.len() > MESSAGE_BYTES_MAX {
                is_cut = true;
                break;
            }
            f.write_str(&next)?;
            written += next.len();
        }
        f.write_str(if is_cut { "; and more" } else { "" })
    }
}

impl std::error::Error for PolicyError {}
