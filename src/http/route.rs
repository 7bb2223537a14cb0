//! A route: the pattern of a path, the key it takes, and its parameters.

use super::auth::Needs;

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `PUT` …
    pub method: &'static str,
    /// The pattern of its path.
    pub path: &'static str,
    /// What its key must be.
    pub needs: Needs,
    /// The parameters that its query string may have.
    pub query: &'static [&'static str],
}
