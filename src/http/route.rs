//! A route: method, path pattern, key and query parameters.

use super::auth::Needs;

/// One row of a route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `PUT` …
    pub method: &'static str,
    /// The pattern of the path.
    pub path: &'static str,
    /// The key that the route needs.
    pub needs: Needs,
    /// The allowed query parameters.
    pub query: &'static [&'static str],
}
