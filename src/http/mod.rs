//! One HTTP request and its answer: the key, the limits of bodies and answers, the query string, and problem documents.
//!
//! What is asked for is not known here: the API's routes and resources stand beside it, and so does whatever else is
//! served. Sockets, TLS and threads are the server's.

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

pub use auth::{Authenticator, Grant, KeyRing, KeyRow, Needs, NewKey, NotChanged, Scope, admit};
pub use body::Limits;
pub use byte_budget::{Budget, BudgetPart, ByteShare};
pub use connection::{BodyWanted, Connection};
pub use problem::{PROBLEM_TYPE, Problem, ProblemCode};
pub use request::{AccessLogEntry, AppState, HttpObserver};
pub use route::Route;
