//! What is wrong with a policy: every problem with the path of its key, in both languages.

use std::fmt;

/// How many problems of one policy are listed.
pub const PROBLEMS_MAX: usize = 20;

/// How long the list of problems in a message may get. The first problem is always written whole.
pub const MESSAGE_BYTES_MAX: usize = 4096;

/// Why a policy is refused (`policy_invalid`): all that is wrong with it, as far as it is listed.
///
/// Its message is English: each problem as `path: what would be right`, the first one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyError {
    problems: Vec<PolicyProblem>,
    is_cut: bool,
}

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The bad key: the keys that lead to it joined by dots, names in maps included, ending at an array's.
    pub path: String,
    /// What would be right.
    pub expected: Wording,
}

/// A part of a sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// In English.
    pub english: String,
    /// In Chinese.
    pub chinese: String,
}

impl PolicyError {
    /// The error that one thing is wrong.
    pub fn one(path: String, expected: impl Into<Wording>) -> PolicyError {
        let mut error = PolicyError::default();
        error.add(path, expected);
        error
    }

    /// All problems, at most [`PROBLEMS_MAX`], in the order of the keys. There is at least one.
    pub fn problems(&self) -> &[PolicyProblem] {
        &self.problems
    }

    /// Whether there may be more problems than are listed.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Adds a problem, where it is another one.
    pub(super) fn add(&mut self, path: String, expected: impl Into<Wording>) {
        let expected = expected.into();
        let problem = PolicyProblem { path, expected };
        if !self.problems.contains(&problem) && !self.stops() {
            self.problems.push(problem);
        }
    }

    /// Whether the list is full, so that what is left need not be looked at; notes that it is cut.
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
