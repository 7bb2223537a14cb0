//! One request: authentication, its shop, its handler, its response, and the access log entry.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, TRANSFER_ENCODING};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

use super::auth::{Authenticator, Grant, Needs, Reauthorization, admit, nobody};
use super::body::{self, BodyFormat, Limits, RequestBody, RequestText};
use super::byte_budget::BudgetPart;
use super::connection::Connection;
use super::cross_site::refuse_foreign;
use super::problem::{Problem, ProblemCode};
use super::query::{Query, segment};
use super::response_body::outgoing;
use super::route::Route;
use crate::domain::base::id::Id;
use crate::domain::state::shop::Shop;
use crate::runtime::Shops;
use crate::webhooks::Webhooks;

/// The state that every request needs. All workers share one.
pub struct AppState {
    /// All shops.
    pub shops: Shops,
    /// All webhooks.
    pub webhooks: Arc<Webhooks>,
    /// Authenticates requests.
    pub authenticator: Authenticator,
    /// Limits of size and time.
    pub limits: Limits,
    /// Observes every request.
    pub observer: Arc<dyn HttpObserver>,
    /// The OpenAPI description as JSON.
    pub description: Bytes,
}

/// Records metrics and access logs.
pub trait HttpObserver: Send + Sync {
    /// A monotonic clock, in microseconds.
    fn micros(&self) -> u64;

    /// A request was answered. Called once for each request, including refused ones.
    fn answered(&self, entry: &AccessLogEntry<'_>);

    /// All metrics in the Prometheus text format.
    fn scrape(&self) -> String;
}

/// The log entry of a request. It contains nothing that a buyer wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogEntry<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The route's pattern. There are few, so it can label a metric.
    pub route: &'static str,
    /// The path's shop, if the route has one and the request was parsed that far.
    pub shop: Option<&'a str>,
    /// The key's id, which is not secret.
    pub key: Option<&'a str>,
    /// The HTTP status of the response.
    pub status: u16,
    /// The length of the response body.
    pub bytes_out: u64,
    /// The time to answer, including the time to receive the body.
    pub micros: u64,
}

/// The result of a handler.
pub type HandlerResult = Result<HttpResponse, Problem>;

/// A request that was admitted: its key is checked and its query string is parsed.
pub struct RequestContext {
    /// The state that every request needs.
    pub state: Arc<AppState>,
    /// What the key allows.
    pub grant: Grant,
    /// The query parameters. Only those of the route are accepted.
    pub query: Query,
    route: &'static Route,
    request: HttpRequest,
    connection: Rc<Connection>,
    payload: UnreadPayload,
    /// The version of the keys when the request was admitted.
    keys_version: u64,
}

/// The rest of a body, until a handler reads it.
type UnreadPayload = Rc<Cell<Option<web::Payload>>>;

/// A response body that keeps the request's payload alive.
///
/// If the payload of a chunked request is dropped, the framework waits for its end, possibly for ever. While the
/// payload is alive, the framework closes the connection if the response is complete before the request.
struct BodyWithPayload {
    body: BoxBody,
    #[expect(dead_code, reason = "it is held, not read")]
    payload: web::Payload,
}

impl MessageBody for BodyWithPayload {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}

/// The caller of a request, for the access log.
#[derive(Default)]
struct LoggedIds {
    shop: Option<Id>,
    key: Option<Id>,
}

/// Answers one request and logs it.
pub async fn serve<F, Fut>(
    state: Arc<AppState>,
    route: &'static Route,
    (request, payload): (HttpRequest, web::Payload),
    handler: F,
) -> HttpResponse
where
    F: Fn(RequestContext) -> Fut,
    Fut: Future<Output = HandlerResult>,
{
    let began = state.observer.micros();
    let method = request.method().clone();
    let of_answer = Arc::clone(&state);
    let connection = Connection::of(&request);
    let answering = connection.begin();
    let mut logged = LoggedIds::default();
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let payload = Rc::new(Cell::new(Some(payload)));
    let unread = chunked.then(|| Rc::clone(&payload));
    let of_call = Rc::clone(&connection);
    let answer = match admit_request(state, route, (request, payload), of_call, &mut logged) {
        Ok(call) => handler(call).await,
        Err(problem) => Err(problem),
    };
    let response = answer.unwrap_or_else(|problem| problem.response());
    let part = match connection.is_known() {
        true => BudgetPart::All,
        false => BudgetPart::Quarter,
    };
    let answers = &of_answer.limits.answers;
    let mut response = outgoing(response, answering, answers, part, is_read(&method));
    if let Some(payload) = unread.and_then(|unread| unread.take()) {
        response = response.map_body(|_, body| BoxBody::new(BodyWithPayload { body, payload }));
    }
    let bytes_out = match response.body().size() {
        BodySize::Sized(bytes) => bytes,
        BodySize::None | BodySize::Stream => 0,
    };
    let observer = &of_answer.observer;
    observer.answered(&AccessLogEntry {
        method: method.as_str(),
        route: route.path,
        shop: logged.shop.as_deref(),
        key: logged.key.as_deref(),
        status: response.status().as_u16(),
        bytes_out,
        micros: observer.micros().saturating_sub(began),
    });
    response
}

/// Whether a method changes nothing.
fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Checks the key, then the path, then the query. A client without access learns nothing of what exists.
fn admit_request(
    state: Arc<AppState>,
    route: &'static Route,
    (request, payload): (HttpRequest, UnreadPayload),
    connection: Rc<Connection>,
    logged: &mut LoggedIds,
) -> Result<RequestContext, Problem> {
    if let Authenticator::Insecure = state.authenticator {
        refuse_foreign(&request)?;
    }
    let open = match route.needs {
        Needs::Nothing => true,
        Needs::Metrics => state.limits.metrics_public,
        Needs::Shop(_) | Needs::Admin => false,
    };
    let keys_version = state.authenticator.version();
    let header = request.headers().get(AUTHORIZATION);
    let (grant, query) = if open {
        // The route needs no key, but a good key marks the connection as known.
        let shown = header.map(|value| state.authenticator.identify(Some(value.as_bytes())));
        if shown.is_some_and(|grant| grant.is_ok()) {
            connection.make_known();
        }
        (nobody(), Query::read("", &[])?)
    } else {
        let grant = state
            .authenticator
            .identify(header.map(|value| value.as_bytes()))?;
        connection.make_known();
        logged.key = Some(grant.id.clone());
        if route.path.contains("{shop}") {
            logged.shop = Some(id_in(route, &request, "shop")?);
        }
        admit(&grant, route.needs, logged.shop.as_ref())?;
        let query = Query::read(request.query_string(), route.query)?;
        (grant, query)
    };
    Ok(RequestContext {
        state,
        grant,
        query,
        route,
        request,
        connection,
        payload,
        keys_version,
    })
}

fn id_in(route: &Route, request: &HttpRequest, name: &str) -> Result<Id, Problem> {
    let text = segment(route.path, request.uri().path(), name);
    text.and_then(|text| Id::new(&text)).ok_or_else(|| {
        Problem::malformed(format!(
            "The path's {{{name}}} must be an id: 1 to 128 bytes of UTF-8 without control characters, \
             encoded with percent signs where a URL needs them."
        ))
    })
}

impl RequestContext {
    /// The path's shop.
    pub fn shop(&self) -> Result<Id, Problem> {
        self.id("shop")
    }

    /// An id in the path.
    pub fn id(&self, name: &str) -> Result<Id, Problem> {
        id_in(self.route, &self.request, name)
    }

    /// A text in the path. Empty if it is not UTF-8.
    pub fn segment(&self, name: &str) -> String {
        segment(self.route.path, self.request.uri().path(), name).unwrap_or_default()
    }

    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let value = self.request.headers().get(name);
        value.map(|value| value.as_bytes())
    }

    /// What admitted the request, to be checked again while a long response is sent.
    pub fn reauthorization(&self) -> Result<Reauthorization, Problem> {
        let header = self.request.headers().get(AUTHORIZATION);
        Ok(Reauthorization {
            authenticator: self.state.authenticator.clone(),
            header: header.map(|value| value.as_bytes().into()),
            needs: self.route.needs,
            shop: self.shop()?,
        })
    }

    /// The format of the body.
    pub fn body_format(&self) -> Result<BodyFormat, Problem> {
        BodyFormat::of(self.request.headers())
    }

    /// Reads the whole body.
    pub async fn body(&self) -> Result<RequestBody, Problem> {
        let Some(mut payload) = self.payload.take() else {
            return Ok(RequestBody::default());
        };
        let body = body::read(
            &self.request,
            &mut payload,
            &self.connection,
            &self.state.limits,
        );
        let body = body.await;
        self.payload.set(Some(payload));
        self.check_again()?;
        body
    }

    /// Checks the key again after the body was received. Meanwhile the key may have been revoked, or the shop deleted
    /// and created again.
    fn check_again(&self) -> Result<(), Problem> {
        if self.state.authenticator.version() == self.keys_version {
            return Ok(());
        }
        let header = self.request.headers().get(AUTHORIZATION);
        let header = header.map(|value| value.as_bytes());
        let grant = self.state.authenticator.identify(header)?;
        let shop = self.route.path.contains("{shop}").then(|| self.shop());
        admit(&grant, self.route.needs, shop.transpose()?.as_ref())
    }

    /// Reads the whole body as text. Its `Content-Type` must be JSON.
    pub async fn json_text(&self) -> Result<RequestText, Problem> {
        if self.body_format()? == BodyFormat::Lines {
            let detail = "This request needs one JSON object as application/json.";
            return Err(Problem::new(ProblemCode::UnsupportedMediaType, detail));
        }
        self.body()
            .await?
            .text()
            .map_err(|_| Problem::malformed("The body is not UTF-8 text: send JSON in UTF-8."))
    }

    /// Reads the current state of the path's shop.
    pub async fn live<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Shop) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let shop = self.shop()?;
        let read = self.state.shops.read(&shop, look).await;
        read.map_err(|error| Problem::unread(&shop, error))
    }
}
