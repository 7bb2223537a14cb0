//! One request in hand: who calls, for which shop, and how it is answered, timed and told of.

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

/// What every request needs. One for all workers.
pub struct AppState {
    /// All shops.
    pub desk: Shops,
    /// All webhooks.
    pub webhooks: Arc<Webhooks>,
    /// Who is let in.
    pub keeper: Authenticator,
    /// How much, and how slowly.
    pub limits: Limits,
    /// Who is told of every request.
    pub watch: Arc<dyn HttpObserver>,
    /// The description of the API, as OpenAPI in JSON.
    pub description: Bytes,
}

/// Whoever measures the door and keeps its log.
pub trait HttpObserver: Send + Sync {
    /// A steady clock, in microseconds.
    fn micros(&self) -> u64;

    /// A request was answered: once each, also where it was refused.
    fn visited(&self, visit: &AccessLogEntry<'_>);

    /// All metrics, as Prometheus reads them.
    fn scrape(&self) -> String;
}

/// A request that was answered, without anything that a buyer wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogEntry<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The route's pattern: few, so that it may label a metric.
    pub route: &'static str,
    /// The path's shop, where it has one and the request came that far.
    pub shop: Option<&'a str>,
    /// The key's id, which is no secret.
    pub key: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// The length of its body.
    pub bytes_out: u64,
    /// How long it took to answer, its body's coming in included.
    pub micros: u64,
}

/// What a handler gives back.
pub type HandlerResult = Result<HttpResponse, Problem>;

/// A request that may be answered: its key is checked, its query string read.
pub struct RequestContext {
    /// What every request needs.
    pub state: Arc<AppState>,
    /// What its key grants.
    pub grant: Grant,
    /// Its parameters: none but the route's.
    pub query: Query,
    route: &'static Route,
    request: HttpRequest,
    connection: Rc<Connection>,
    payload: UnreadPayload,
    /// The version of the keys by which it was let in.
    keys_version: u64,
}

/// What has not been read of a body, as long as nobody reads it.
type UnreadPayload = Rc<Cell<Option<web::Payload>>>;

/// The body of an answer that keeps hold of the request's.
///
/// Of a body in chunks whose reader is gone, the framework waits for the end, for ever where there is none. While the
/// reader is there, an answer that is sent before the end closes the connection.
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

/// Who came, for whoever is told.
#[derive(Default)]
struct Visitor {
    shop: Option<Id>,
    key: Option<Id>,
}

/// Answers one request, and tells of it.
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
    let began = state.watch.micros();
    let method = request.method().clone();
    let of_answer = Arc::clone(&state);
    let connection = Connection::of(&request);
    let answering = connection.begin();
    let mut visitor = Visitor::default();
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let payload = Rc::new(Cell::new(Some(payload)));
    let unread = chunked.then(|| Rc::clone(&payload));
    let of_call = Rc::clone(&connection);
    let answer = match enter(state, route, (request, payload), of_call, &mut visitor) {
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
    let watch = &of_answer.watch;
    watch.visited(&AccessLogEntry {
        method: method.as_str(),
        route: route.path,
        shop: visitor.shop.as_deref(),
        key: visitor.key.as_deref(),
        status: response.status().as_u16(),
        bytes_out,
        micros: watch.micros().saturating_sub(began),
    });
    response
}

/// Whether a method changes nothing.
fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Checks the key, then the path, then the query: who may not come in learns nothing of what is inside.
fn enter(
    state: Arc<AppState>,
    route: &'static Route,
    (request, payload): (HttpRequest, UnreadPayload),
    connection: Rc<Connection>,
    visitor: &mut Visitor,
) -> Result<RequestContext, Problem> {
    if let Authenticator::Insecure = state.keeper {
        refuse_foreign(&request)?;
    }
    let open = match route.needs {
        Needs::Nothing => true,
        Needs::Metrics => state.limits.metrics_public,
        Needs::Shop(_) | Needs::Admin => false,
    };
    let keys_version = state.keeper.version();
    let header = request.headers().get(AUTHORIZATION);
    let (grant, query) = if open {
        // None is needed, but who shows a good one is known from here on.
        let shown = header.map(|value| state.keeper.identify(Some(value.as_bytes())));
        if shown.is_some_and(|grant| grant.is_ok()) {
            connection.make_known();
        }
        (nobody(), Query::read("", &[])?)
    } else {
        let grant = state
            .keeper
            .identify(header.map(|value| value.as_bytes()))?;
        connection.make_known();
        visitor.key = Some(grant.id.clone());
        if route.path.contains("{shop}") {
            visitor.shop = Some(id_in(route, &request, "shop")?);
        }
        admit(&grant, route.needs, visitor.shop.as_ref())?;
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

    /// Any text in the path; empty where it is not UTF-8.
    pub fn segment(&self, name: &str) -> String {
        segment(self.route.path, self.request.uri().path(), name).unwrap_or_default()
    }

    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let value = self.request.headers().get(name);
        value.map(|value| value.as_bytes())
    }

    /// What lets the request in, to be looked at again while it is being answered.
    pub fn pass(&self) -> Result<Reauthorization, Problem> {
        let header = self.request.headers().get(AUTHORIZATION);
        Ok(Reauthorization {
            keeper: self.state.keeper.clone(),
            header: header.map(|value| value.as_bytes().into()),
            needs: self.route.needs,
            shop: self.shop()?,
        })
    }

    /// What the body is written in.
    pub fn form(&self) -> Result<BodyFormat, Problem> {
        BodyFormat::of(self.request.headers())
    }

    /// The whole body.
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

    /// Whether the key is still good: it may have been taken back while the body came in, or its shop taken away and
    /// another of that name made.
    fn check_again(&self) -> Result<(), Problem> {
        if self.state.keeper.version() == self.keys_version {
            return Ok(());
        }
        let header = self.request.headers().get(AUTHORIZATION);
        let header = header.map(|value| value.as_bytes());
        let grant = self.state.keeper.identify(header)?;
        let shop = self.route.path.contains("{shop}").then(|| self.shop());
        admit(&grant, self.route.needs, shop.transpose()?.as_ref())
    }

    /// The whole body as text, which is JSON by its `Content-Type`.
    pub async fn json_text(&self) -> Result<RequestText, Problem> {
        if self.form()? == BodyFormat::Lines {
            let detail = "This takes one JSON object: send it as application/json.";
            return Err(Problem::new(ProblemCode::UnsupportedMediaType, detail));
        }
        self.body()
            .await?
            .text()
            .map_err(|_| Problem::malformed("The body is not UTF-8 text: send JSON in UTF-8."))
    }

    /// Looks at the live state of the path's shop.
    pub async fn live<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Shop) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let shop = self.shop()?;
        let read = self.state.desk.read(&shop, look).await;
        read.map_err(|error| Problem::unread(&shop, error))
    }
}
