//! One HTTP request and its response: the key, the limits of bodies, the query string, and problem documents.
//!
//! This folder knows no route and no resource: those are in the API folder and in others that serve HTTP. Sockets, TLS
//! and threads belong to the server folder.

pub mod auth;
pub mod body;
mod byte_budget;
mod connection;
mod cross_site;
pub mod problem;
pub mod query;
pub mod request;
pub mod response;
mod response_body;
pub mod route;

pub use auth::{
    Authenticator, Grant, KeyChangeError, KeyRing, KeyRow, Needs, NewKey, Scope, admit,
};
pub use body::Limits;
pub use byte_budget::{Budget, BudgetPart, ByteShare};
pub use connection::{BodyWanted, Connection};
pub use problem::{PROBLEM_TYPE, Problem, ProblemCode};
pub use request::{AccessLogEntry, AppState, HttpObserver};
pub use route::Route;
