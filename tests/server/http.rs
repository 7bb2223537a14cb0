//! The HTTP API over real shops: each route responds as described, and a client without access learns nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::schema;
use crate::support::world::{SetClock, Shops};
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, Error};
use serde_json::{Value, json};
use xiaoer::api::{ROUTES, configure};
use xiaoer::domain::base::id::Id;
use xiaoer::http::{
    AccessLogEntry, AppState, Authenticator, Grant, HttpObserver, KeyChangeError, KeyRing, KeyRow,
    Limits, Needs, NewKey, Scope,
};

/// Keys that are spelt as what they grant: `shop/scope`, or `admin`.
struct Spelt;

impl KeyRing for Spelt {
    fn check(&self, text: &str) -> Option<Grant> {
        let (shop, scope) = text.split_once('/').unwrap_or(("", text));
        let scope = Scope::named(scope)?;
        Some(Grant {
            id: Id::new(text)?,
            scope,
            shop: Id::new(shop),
            own_clock: scope.allows(Scope::Owner),
        })
    }

    fn list(&self) -> Vec<KeyRow> {
        Vec::new()
    }

    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), KeyChangeError> {
        let row = KeyRow {
            id: Id::new("abcdefgh").unwrap(),
            shop: key.shop,
            scope: key.scope,
            name: key.name,
            own_clock: key.own_clock,
            created: key.at,
        };
        Ok((row, "xek_abcdefgh".to_owned()))
    }

    fn revoke(&self, id: &str) -> Result<bool, KeyChangeError> {
        Ok(id == "abcdefgh")
    }

    fn block_shop(&self, _: &Id) {}
    fn unblock_shop(&self, _: &Id) {}
    fn revoke_shop(&self, _: &Id, _: Option<u64>) -> Result<usize, KeyChangeError> {
        Ok(0)
    }
    fn version(&self) -> u64 {
        0
    }
}

/// Nobody who watches.
struct Unwatched;

impl HttpObserver for Unwatched {
    fn micros(&self) -> u64 {
        0
    }
    fn answered(&self, _: &AccessLogEntry<'_>) {}
    fn scrape(&self) -> String {
        "xiaoer_up 1\n".to_owned()
    }
}

/// One request: the status, the media type and the body.
async fn ask(
    app: &impl Service<actix_http::Request, Response = ServiceResponse, Error = Error>,
    method: &str,
    path: &str,
    key: &str,
    body: Option<&Value>,
) -> (u16, String, Vec<u8>) {
    let mut request = TestRequest::with_uri(path).method(method.parse::<Method>().unwrap());
    if !key.is_empty() {
        request = request.insert_header(("authorization", format!("Bearer {key}")));
    }
    if let Some(body) = body {
        request = request.set_json(body);
    }
    let response = app.call(request.to_request()).await.unwrap();
    let kind = response.headers().get("content-type");
    let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    let body = match kind.as_str() {
        "text/event-stream" => first_piece(response).await,
        _ => read_body(response).await.to_vec(),
    };
    (status, kind, body)
}

/// What comes at once of a body that has no end.
async fn first_piece(response: ServiceResponse) -> Vec<u8> {
    let mut body = std::pin::pin!(response.into_body());
    let piece = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
    piece.unwrap().unwrap().to_vec()
}

/// What is asked of a shop in which something has happened, in order: `METHOD path`, the body, the status.
/// `{webhook}` stands for the id of the webhook that was made last.
fn asked() -> Vec<(&'static str, &'static str, Option<Value>, u16)> {
    let session = |n: u32| json!({"type": "session.opened", "session": format!("s{n}"), "buyer": format!("b{n}")});
    vec![
        (
            "PUT",
            "/v1/shops/s",
            Some(json!({"policy": {"preset": "standard"}})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/policy",
            Some(json!({"routing": {"entries": {"live": {"questions": {"几天发货": ["anna"]}}}}})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/policy",
            Some(json!({"rooting": {}})),
            400,
        ),
        ("GET", "/v1/shops/s/policy", None, 200),
        ("POST", "/v1/shops/s/policy/check", Some(json!({})), 200),
        (
            "POST",
            "/v1/shops/s/policy/check",
            Some(json!({"timezone": "Mars"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna",
            Some(json!({"name": "安娜", "capacity": 1})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/bo",
            Some(json!({"lease": "30s"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online"})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "30s"})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "1h 30m"})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "24h"})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "24h 1ms"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "999ms"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "soon"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": 30})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "offline", "lease": "30s"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": null})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "lease": "30s", "back": true})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "back": null})),
            200,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "back": "yes"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "away", "back": true})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/anna/presence",
            Some(json!({"presence": "online", "held": "no_answer"})),
            400,
        ),
        (
            "PUT",
            "/v1/shops/s/agents/nobody/presence",
            Some(json!({"presence": "online"})),
            404,
        ),
        (
            "POST",
            "/v1/shops/s/events",
            Some(json!([session(1), session(2), {"type": "nonsense"}])),
            200,
        ),
        ("POST", "/v1/shops/s/events", Some(session(1)), 409),
        (
            "POST",
            "/v1/shops/s/events",
            Some(json!({"type": "session.closed", "session": "s9", "by": "agent"})),
            404,
        ),
        (
            "POST",
            "/v1/shops/s/events",
            Some(json!([
                {"type": "buyer.message", "session": "s1", "text": "在吗"},
                {"type": "agent.message", "session": "s1", "text": "在的"},
                {"type": "rating.submitted", "session": "s1", "stars": 2, "reasons": ["slow"], "comment": "慢"},
            ])),
            200,
        ),
        ("GET", "/v1/shops", None, 200),
        ("GET", "/v1/shops/s/agents", None, 200),
        ("GET", "/v1/shops/s/agents/anna", None, 200),
        ("GET", "/v1/shops/s/agents/bo", None, 404),
        ("GET", "/v1/shops/s/sessions", None, 200),
        (
            "GET",
            "/v1/shops/s/sessions?state=waiting&limit=1",
            None,
            200,
        ),
        ("GET", "/v1/shops/s/sessions?state=asleep", None, 400),
        ("GET", "/v1/shops/s/sessions/s1", None, 200),
        ("GET", "/v1/shops/s/sessions/s9", None, 404),
        ("GET", "/v1/shops/s/sessions/s1/invite", None, 200),
        ("GET", "/v1/shops/s/sessions/s2/invite", None, 409),
        ("GET", "/v1/shops/s/sessions/s9/invite", None, 404),
        (
            "GET",
            "/v1/shops/s/sessions/s1/invite?agent=anna",
            None,
            400,
        ),
        ("GET", "/v1/shops/nowhere/sessions/s1/invite", None, 404),
        ("GET", "/v1/shops/s/pools", None, 200),
        ("GET", "/v1/shops/s/entries/live/questions", None, 200),
        ("GET", "/v1/shops/s/entries/nowhere/questions", None, 404),
        (
            "GET",
            "/v1/shops/s/ratings?level=disappointed&reason=slow&agent=anna",
            None,
            200,
        ),
        ("GET", "/v1/shops/s/decisions?limit=2", None, 200),
        ("GET", "/v1/shops/s/decisions/1", None, 200),
        ("GET", "/v1/shops/s/decisions/1/why", None, 200),
        ("GET", "/v1/shops/s/decisions/999", None, 404),
        ("GET", "/v1/shops/s/stream?after=0", None, 200),
        ("GET", "/v1/shops/s/stream?types=reply.du", None, 400),
        ("GET", "/v1/shops/nowhere/stream", None, 404),
        ("GET", "/v1/shops/s/report", None, 200),
        (
            "GET",
            "/v1/shops/s/report?from=2026-11-11&to=2026-11-11",
            None,
            200,
        ),
        ("GET", "/v1/shops/s/report?from=2026-11-31", None, 400),
        ("GET", "/v1/shops/s/report?to=yesterday", None, 400),
        (
            "GET",
            "/v1/shops/s/report?from=2026-11-12&to=2026-11-11",
            None,
            400,
        ),
        ("GET", "/v1/shops/s/report?day=2026-11-12", None, 400),
        ("POST", "/v1/shops/s/webhooks", Some(json!({})), 400),
        (
            "POST",
            "/v1/shops/s/webhooks",
            Some(
                json!({"url": "https://example.com/", "types": ["session.assigned"], "enabled": false}),
            ),
            200,
        ),
        ("GET", "/v1/shops/s/webhooks", None, 200),
        ("GET", "/v1/shops/s/webhooks?limit=0", None, 400),
        ("GET", "/v1/shops/s/webhooks/{webhook}", None, 200),
        ("GET", "/v1/shops/s/webhooks/unknown", None, 404),
        (
            "PATCH",
            "/v1/shops/s/webhooks/{webhook}",
            Some(json!({"batch": 501})),
            400,
        ),
        // Nobody listens there: a call fails at once.
        (
            "PATCH",
            "/v1/shops/s/webhooks/{webhook}",
            Some(
                json!({"url": "http://127.0.0.1:1/", "types": null, "batch": 100, "enabled": true}),
            ),
            200,
        ),
        ("POST", "/v1/shops/s/webhooks/{webhook}/test", None, 200),
        (
            "POST",
            "/v1/shops/s/webhooks/{webhook}/resend",
            Some(json!({"from": 1, "to": 1})),
            200,
        ),
        (
            "POST",
            "/v1/shops/s/webhooks/{webhook}/resend",
            Some(json!({"from": 2, "to": 1})),
            400,
        ),
        (
            "GET",
            "/v1/shops/s/webhooks/{webhook}/deliveries",
            None,
            200,
        ),
        ("GET", "/v1/shops/s/webhooks/unknown/deliveries", None, 404),
        ("POST", "/v1/shops/s/webhooks/{webhook}/rotate", None, 200),
        ("DELETE", "/v1/shops/s/webhooks/{webhook}", None, 204),
        ("DELETE", "/v1/shops/s/webhooks/{webhook}", None, 404),
        ("GET", "/v1/keys", None, 200),
        (
            "POST",
            "/v1/keys",
            Some(json!({"shop": "s", "scope": "events"})),
            200,
        ),
        ("POST", "/v1/keys", Some(json!({"scope": "events"})), 400),
        ("DELETE", "/v1/keys/abcdefgh", None, 204),
        ("DELETE", "/v1/keys/unknown", None, 404),
        ("GET", "/healthz", None, 200),
        ("GET", "/readyz", None, 200),
        ("GET", "/metrics", None, 200),
        ("GET", "/openapi.json", None, 200),
        ("GET", "/docs", None, 303),
        ("GET", "/docs/index.html", None, 200),
        ("GET", "/docs/nothing", None, 404),
        ("GET", "/nowhere", None, 404),
        ("PATCH", "/v1/shops/s", None, 405),
        ("DELETE", "/v1/shops/s/agents/anna", None, 204),
        ("DELETE", "/v1/shops/s", None, 204),
        ("DELETE", "/v1/shops/s", None, 404),
    ]
}

/// The pattern that a path goes by.
fn pattern(method: &str, path: &str) -> Option<&'static str> {
    let path = path.split('?').next()?;
    let fits = |pattern: &str| {
        let (parts, given) = (pattern.split('/'), path.split('/'));
        parts.clone().count() == given.clone().count()
            && parts
                .zip(given)
                .all(|(part, given)| part == given || part.starts_with('{'))
    };
    let route = ROUTES
        .iter()
        .find(|route| route.method == method && fits(route.path));
    route.map(|route| route.path)
}

async fn app_over(
    shops: &Shops,
) -> impl Service<actix_http::Request, Response = ServiceResponse, Error = Error> {
    let state = Arc::new(AppState {
        shops: shops.desk.clone(),
        webhooks: shops.webhooks(),
        authenticator: Authenticator::Keys(Arc::new(Spelt)),
        limits: Limits::default(),
        observer: Arc::new(Unwatched),
        description: xiaoer::api::description(),
    });
    init_service(App::new().configure(configure(state))).await
}

/// Lists that have something in them when they are asked for.
const LISTS: [&str; 6] = [
    "ratings",
    "pools",
    "sessions",
    "decisions",
    "webhooks",
    "deliveries",
];

/// Asks as an admin, for deliveries again and again until there is one: a courier is on its way.
async fn ask_in_time(
    app: &impl Service<actix_http::Request, Response = ServiceResponse, Error = Error>,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, String, Vec<u8>) {
    for _ in 0..6000 {
        let answer = ask(app, method, path, "admin", body).await;
        let empty = answer.2.starts_with(b"{\"items\":[]");
        if !(empty && path.ends_with("/deliveries")) {
            return answer;
        }
        actix_rt::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{method} {path} lists nothing")
}

#[actix_rt::test]
async fn every_answer_is_as_described() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, Duration::from_secs(600));
    let app = app_over(&shops).await;
    let mut seen = BTreeSet::new();
    let mut webhook = String::new();
    for (method, path, body, status) in asked() {
        let path = path.replace("{webhook}", &webhook);
        let path = path.as_str();
        let (found, kind, text) = ask_in_time(&app, method, path, body.as_ref()).await;
        if (method, path, found) == ("POST", "/v1/shops/s/webhooks", 200) {
            let made: Value = serde_json::from_slice(&text).unwrap();
            webhook = made["id"].as_str().unwrap().to_owned();
        }
        let shown = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(found, status, "{method} {path}: {shown}");
        match pattern(method, path) {
            Some(pattern) => {
                if status == 200 && LISTS.iter().any(|list| pattern.ends_with(list)) {
                    assert!(
                        !shown.contains("\"items\":[]"),
                        "{method} {path} lists nothing"
                    );
                }
                seen.insert((method, pattern));
                schema::check_answer(method, pattern, found, &kind, &text);
            }
            None => assert_eq!(kind, "application/problem+json", "{method} {path}"),
        }
    }
    for route in ROUTES {
        let asked = seen.contains(&(route.method, route.path));
        assert!(asked, "nobody asks {} {}", route.method, route.path);
    }
    drop(app);
    shops.close().await;
}

/// Every route with every kind of key: a wrong one is told the same whether the shop exists or not.
#[actix_rt::test]
async fn who_may_not_come_in_learns_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, Duration::from_secs(600));
    let app = app_over(&shops).await;
    let made = json!({"policy": {}});
    ask(&app, "PUT", "/v1/shops/there", "admin", Some(&made)).await;
    for route in ROUTES.iter().filter(|route| route.needs != Needs::Nothing) {
        let path = |shop: &str| {
            let path = route.path.replace("{shop}", shop).replace("{seq}", "1");
            path.replace(['{', '}'], "x")
        };
        for key in ["", "there/write", "nonsense"] {
            let (status, ..) = ask(&app, route.method, &path("there"), key, None).await;
            assert_eq!(status, 401, "{} {} with {key:?}", route.method, route.path);
        }
        for scope in ["events", "read", "owner"] {
            let key = format!("mine/{scope}");
            let there = ask(&app, route.method, &path("there"), &key, None).await;
            let nowhere = ask(&app, route.method, &path("nowhere"), &key, None).await;
            let expected = if route.path.contains("{shop}") {
                404
            } else {
                403
            };
            assert_eq!(
                there.0, expected,
                "{} {} with {key}",
                route.method, route.path
            );
            let told = String::from_utf8(there.2)
                .unwrap()
                .replace("there", "nowhere");
            assert_eq!(told, String::from_utf8(nowhere.2).unwrap());
        }
    }
    drop(app);
    shops.close().await;
}

/// Keys that are taken back at once.
struct Revocable(AtomicBool);

impl KeyRing for Revocable {
    fn check(&self, text: &str) -> Option<Grant> {
        Spelt.check(text).filter(|_| !self.0.load(Ordering::SeqCst))
    }
    fn list(&self) -> Vec<KeyRow> {
        Vec::new()
    }
    fn new_key(&self, key: NewKey) -> Result<(KeyRow, String), KeyChangeError> {
        Spelt.new_key(key)
    }
    fn revoke(&self, _: &str) -> Result<bool, KeyChangeError> {
        Ok(false)
    }
    fn block_shop(&self, _: &Id) {}
    fn unblock_shop(&self, _: &Id) {}
    fn revoke_shop(&self, _: &Id, _: Option<u64>) -> Result<usize, KeyChangeError> {
        Ok(0)
    }
    fn version(&self) -> u64 {
        0
    }
}

/// A stream says that it is there, and ends once its key is taken back: on a quiet shop with the next such word, on a
/// busy one with the next decisions.
#[actix_rt::test]
async fn a_stream_ends_with_its_key() {
    for busy in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let clock = SetClock::at("2026-11-11T02:00:00Z");
        let shops = Shops::open(folder.path(), &clock, Duration::from_secs(600));
        let keys = Arc::new(Revocable(AtomicBool::new(false)));
        let beat = if busy { 60_000 } else { 20 };
        let state = Arc::new(AppState {
            shops: shops.desk.clone(),
            webhooks: shops.webhooks(),
            authenticator: Authenticator::Keys(Arc::clone(&keys) as Arc<dyn KeyRing>),
            limits: Limits {
                heartbeat: Duration::from_millis(beat),
                ..Limits::default()
            },
            observer: Arc::new(Unwatched),
            description: xiaoer::api::description(),
        });
        let app = init_service(App::new().configure(configure(state))).await;
        let made = json!({"policy": {}});
        ask(&app, "PUT", "/v1/shops/s", "admin", Some(&made)).await;
        let request = TestRequest::with_uri("/v1/shops/s/stream");
        let request = request.insert_header(("authorization", "Bearer s/read"));
        let response = app.call(request.to_request()).await.unwrap();
        let mut body = std::pin::pin!(response.into_body());
        let mut pieces = Vec::new();
        while let Some(piece) =
            std::future::poll_fn(|context| body.as_mut().poll_next(context)).await
        {
            pieces.push(String::from_utf8(piece.unwrap().to_vec()).unwrap());
            assert!(pieces.len() < 9, "{pieces:?}");
            if pieces.len() == 3 {
                keys.0.store(true, Ordering::SeqCst);
            }
            if busy {
                let n = pieces.len();
                let session = json!({"type": "session.opened", "session": format!("s{n}"), "buyer": format!("b{n}")});
                shops.post("s", &[session.to_string()]).await.unwrap();
            }
        }
        assert_eq!(pieces[0], "retry: 2000\nid: 0\n\n");
        assert_eq!(pieces.len(), 3, "{pieces:?}");
        match busy {
            false => assert_eq!(pieces[1..], [": \n\n", ": \n\n"]),
            true => assert!(
                pieces[2].starts_with("id: 2\nevent: session.queued\ndata: {"),
                "{pieces:?}"
            ),
        }
        drop(app);
        shops.close().await;
    }
}

/// A repeated `id` whose record was dropped takes nobody with it: all of the request is answered, with 200.
#[actix_web::test]
async fn a_forgotten_answer_is_200_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let mut settings = crate::support::world::settings(folder.path());
    settings.retention_ms = 3_600_000;
    let shops = Shops::open_with(&settings, &clock, Duration::from_secs(600));
    let app = app_over(&shops).await;
    let opened = |n: u32| {
        json!({"type": "session.opened", "id": format!("o{n}"), "session": format!("s{n}"),
               "buyer": format!("b{n}")})
    };
    ask(
        &app,
        "PUT",
        "/v1/shops/s",
        "admin",
        Some(&json!({"policy": {}})),
    )
    .await;
    let path = "/v1/shops/s/events";
    ask(&app, "POST", path, "s/events", Some(&opened(1))).await;
    shops.drop_records().await;
    let gone = json!({"id": "o1", "decisions": [], "forgotten": true});
    let (status, _, body) = ask(&app, "POST", path, "s/events", Some(&opened(1))).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, body), (200, json!({"results": [gone]})));
    let both = json!([opened(2), opened(1)]);
    let (status, _, body) = ask(&app, "POST", path, "s/events", Some(&both)).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(body["results"][1], gone);
    assert_eq!(body["results"][0]["decisions"][0]["type"], "session.queued");
    assert!(body["results"][0].get("forgotten").is_none());
    drop(app);
    shops.close().await;
}
