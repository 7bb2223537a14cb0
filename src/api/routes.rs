//! The route table: every route of the API with its key scope and its query parameters.

use std::future::Future;
use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, web};

use super::resources::{
    agents, decisions, deliveries, keys, policies, ratings, sessions, shops, webhooks,
};
use super::{docs, events, health, stream};
use crate::http::auth::Needs::{Admin, Metrics, Nothing, Shop};
use crate::http::auth::Scope::{Events, Owner, Read};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{AppState, HandlerResult, RequestContext, serve};
use crate::http::route::Route;

/// Builds the table, and registers its routes with actix.
macro_rules! table {
    ($($path:literal { $($method:ident $needs:expr, [$($query:literal)*] => $handler:path;)+ })+) => {
        /// All routes.
        pub const ROUTES: &[Route] = &[$($(Route {
            method: stringify!($method),
            path: $path,
            needs: $needs,
            query: &[$($query),*],
        },)+)+];

        fn register(config: &mut web::ServiceConfig, state: &Arc<AppState>) {
            $({
                const STRAY: Route = stray($path);
                let resource = web::resource($path)
                $(
                    .route(to(state, Method::$method, &Route {
                        method: stringify!($method),
                        path: $path,
                        needs: $needs,
                        query: &[$($query),*],
                    }, $handler))
                )+;
                let allowed = [$(stringify!($method)),+].join(", ");
                config.service(resource.default_service(no_method(state, &STRAY, allowed)));
            })+
        }
    };
}

table! {
    "/v1/shops/{shop}/events" { POST Shop(Events), [] => events::post; }

    "/v1/shops" { GET Admin, ["limit" "cursor"] => shops::list; }
    "/v1/shops/{shop}" {
        PUT Admin, [] => shops::put;
        DELETE Admin, [] => shops::delete;
    }
    "/v1/shops/{shop}/policy" {
        GET Shop(Read), [] => policies::get;
        PUT Shop(Owner), [] => policies::put;
    }
    "/v1/shops/{shop}/policy/check" { POST Shop(Owner), [] => policies::check; }

    "/v1/shops/{shop}/agents" { GET Shop(Read), ["limit" "cursor"] => agents::list; }
    "/v1/shops/{shop}/agents/{agent}" {
        GET Shop(Read), [] => agents::get;
        PUT Shop(Owner), [] => agents::put;
        DELETE Shop(Owner), [] => agents::delete;
    }
    "/v1/shops/{shop}/agents/{agent}/presence" { PUT Shop(Events), [] => agents::put_presence; }

    "/v1/shops/{shop}/sessions" { GET Shop(Read), ["state" "limit" "cursor"] => sessions::list; }
    "/v1/shops/{shop}/sessions/{session}" { GET Shop(Read), [] => sessions::get; }
    "/v1/shops/{shop}/sessions/{session}/invite" { GET Shop(Read), [] => sessions::invite; }
    "/v1/shops/{shop}/pools" { GET Shop(Read), ["limit" "cursor"] => sessions::pools; }
    "/v1/shops/{shop}/entries/{entry}/questions" {
        GET Shop(Read), ["limit" "cursor"] => sessions::questions;
    }

    "/v1/shops/{shop}/ratings" {
        GET Shop(Read), ["agent" "level" "reason" "from" "to" "limit" "cursor"] => ratings::list;
    }
    "/v1/shops/{shop}/decisions" { GET Shop(Read), ["after" "limit" "cursor"] => decisions::list; }
    "/v1/shops/{shop}/decisions/{seq}" { GET Shop(Read), [] => decisions::get; }
    "/v1/shops/{shop}/decisions/{seq}/why" { GET Shop(Read), [] => decisions::why; }
    "/v1/shops/{shop}/stream" { GET Shop(Read), ["after" "types"] => stream::open; }
    "/v1/shops/{shop}/report" { GET Shop(Read), ["from" "to"] => shops::report; }

    "/v1/shops/{shop}/webhooks" {
        GET Shop(Owner), ["limit" "cursor"] => webhooks::list;
        POST Shop(Owner), [] => webhooks::post;
    }
    "/v1/shops/{shop}/webhooks/{id}" {
        GET Shop(Owner), [] => webhooks::get;
        PATCH Shop(Owner), [] => webhooks::patch;
        DELETE Shop(Owner), [] => webhooks::delete;
    }
    "/v1/shops/{shop}/webhooks/{id}/rotate" { POST Shop(Owner), [] => webhooks::rotate; }
    "/v1/shops/{shop}/webhooks/{id}/test" { POST Shop(Owner), [] => webhooks::test; }
    "/v1/shops/{shop}/webhooks/{id}/deliveries" {
        GET Shop(Owner), ["limit" "cursor"] => deliveries::list;
    }
    "/v1/shops/{shop}/webhooks/{id}/resend" { POST Shop(Owner), [] => deliveries::resend; }

    "/v1/keys" {
        GET Admin, ["limit" "cursor"] => keys::list;
        POST Admin, [] => keys::post;
    }
    "/v1/keys/{id}" { DELETE Admin, [] => keys::delete; }

    "/healthz" { GET Nothing, [] => health::alive; }
    "/readyz" { GET Nothing, [] => health::ready; }
    "/metrics" { GET Metrics, [] => health::metrics; }
    "/openapi.json" { GET Nothing, [] => docs::openapi; }
    "/docs" { GET Nothing, [] => docs::front; }
    "/docs/{file}" { GET Nothing, [] => docs::file; }
}

/// The route of a request that matches no row. It needs no key, because it exposes nothing.
const fn stray(path: &'static str) -> Route {
    Route {
        method: "",
        path,
        needs: Nothing,
        query: &[],
    }
}

/// Registers all routes with a server.
pub fn configure(state: Arc<AppState>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        register(config, &state);
        config.default_service(web::to(
            move |request: HttpRequest, payload: web::Payload| {
                const NOWHERE: Route = stray("(none)");
                serve(Arc::clone(&state), &NOWHERE, (request, payload), |_| {
                    nothing_here()
                })
            },
        ));
    }
}

fn to<F, Fut>(
    state: &Arc<AppState>,
    method: Method,
    route: &'static Route,
    handler: F,
) -> actix_web::Route
where
    F: Fn(RequestContext) -> Fut + Copy + 'static,
    Fut: Future<Output = HandlerResult> + 'static,
{
    let state = Arc::clone(state);
    web::method(method).to(move |request: HttpRequest, payload: web::Payload| {
        serve(Arc::clone(&state), route, (request, payload), handler)
    })
}

fn no_method(state: &Arc<AppState>, route: &'static Route, allowed: String) -> actix_web::Route {
    let state = Arc::clone(state);
    web::to(move |request: HttpRequest, payload: web::Payload| {
        let detail = format!("This path supports {allowed}. `/docs` describes each method.");
        let problem = Problem::new(ProblemCode::MethodNotAllowed, detail)
            .header(header::ALLOW, allowed.clone());
        serve(Arc::clone(&state), route, (request, payload), move |_| {
            std::future::ready(Err(problem.clone()))
        })
    })
}

async fn nothing_here() -> HandlerResult {
    Err(Problem::new(
        ProblemCode::NotFound,
        "The server has no such path. `/docs` lists all paths.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::id::Id;
    use crate::http::auth::Needs;
    use crate::http::auth::tests::Spelt;
    use crate::http::auth::{KeyRing, Scope, admit};

    /// The contract's table (section 6): the key that each route needs. A route that is missing here fails the test.
    const CONTRACT: &[(&str, &str, Needs)] = &[
        ("GET", "/v1/shops", Admin),
        ("PUT", "/v1/shops/{shop}", Admin),
        ("DELETE", "/v1/shops/{shop}", Admin),
        ("GET", "/v1/shops/{shop}/policy", Shop(Read)),
        ("PUT", "/v1/shops/{shop}/policy", Shop(Owner)),
        ("POST", "/v1/shops/{shop}/policy/check", Shop(Owner)),
        ("GET", "/v1/shops/{shop}/agents", Shop(Read)),
        ("GET", "/v1/shops/{shop}/agents/{agent}", Shop(Read)),
        ("PUT", "/v1/shops/{shop}/agents/{agent}", Shop(Owner)),
        ("DELETE", "/v1/shops/{shop}/agents/{agent}", Shop(Owner)),
        (
            "PUT",
            "/v1/shops/{shop}/agents/{agent}/presence",
            Shop(Events),
        ),
        ("POST", "/v1/shops/{shop}/events", Shop(Events)),
        ("GET", "/v1/shops/{shop}/sessions", Shop(Read)),
        ("GET", "/v1/shops/{shop}/sessions/{session}", Shop(Read)),
        (
            "GET",
            "/v1/shops/{shop}/sessions/{session}/invite",
            Shop(Read),
        ),
        ("GET", "/v1/shops/{shop}/pools", Shop(Read)),
        (
            "GET",
            "/v1/shops/{shop}/entries/{entry}/questions",
            Shop(Read),
        ),
        ("GET", "/v1/shops/{shop}/ratings", Shop(Read)),
        ("GET", "/v1/shops/{shop}/decisions", Shop(Read)),
        ("GET", "/v1/shops/{shop}/decisions/{seq}", Shop(Read)),
        ("GET", "/v1/shops/{shop}/decisions/{seq}/why", Shop(Read)),
        ("GET", "/v1/shops/{shop}/stream", Shop(Read)),
        ("GET", "/v1/shops/{shop}/report", Shop(Read)),
        ("GET", "/v1/shops/{shop}/webhooks", Shop(Owner)),
        ("POST", "/v1/shops/{shop}/webhooks", Shop(Owner)),
        ("GET", "/v1/shops/{shop}/webhooks/{id}", Shop(Owner)),
        ("PATCH", "/v1/shops/{shop}/webhooks/{id}", Shop(Owner)),
        ("DELETE", "/v1/shops/{shop}/webhooks/{id}", Shop(Owner)),
        ("POST", "/v1/shops/{shop}/webhooks/{id}/rotate", Shop(Owner)),
        ("POST", "/v1/shops/{shop}/webhooks/{id}/test", Shop(Owner)),
        (
            "GET",
            "/v1/shops/{shop}/webhooks/{id}/deliveries",
            Shop(Owner),
        ),
        ("POST", "/v1/shops/{shop}/webhooks/{id}/resend", Shop(Owner)),
        ("GET", "/v1/keys", Admin),
        ("POST", "/v1/keys", Admin),
        ("DELETE", "/v1/keys/{id}", Admin),
        ("GET", "/healthz", Nothing),
        ("GET", "/readyz", Nothing),
        ("GET", "/metrics", Metrics),
        ("GET", "/openapi.json", Nothing),
        ("GET", "/docs", Nothing),
        ("GET", "/docs/{file}", Nothing),
    ];

    #[test]
    fn the_table_is_the_contracts() {
        assert_eq!(ROUTES.len(), CONTRACT.len());
        for (method, path, needs) in CONTRACT {
            let row = ROUTES
                .iter()
                .find(|route| route.method == *method && route.path == *path);
            let row = row.unwrap_or_else(|| panic!("{method} {path} is missing"));
            assert_eq!(row.needs, *needs, "{method} {path}");
        }
    }

    /// Requests every route with every scope, of the path's shop and of another.
    #[test]
    fn only_the_right_key_of_the_right_shop_comes_in() {
        let shop = Id::new("s").unwrap();
        for route in ROUTES {
            let of_path = route.path.contains("{shop}").then_some(&shop);
            for scope in Scope::ALL {
                for of in ["s", "t"] {
                    let key = match scope {
                        Scope::Admin => "admin".to_owned(),
                        Scope::Events | Scope::Read | Scope::Owner => {
                            format!("{of}/{}", scope.code())
                        }
                    };
                    let grant = Spelt.check(&key).unwrap();
                    let found = admit(&grant, route.needs, of_path);
                    let found = found.map_err(|problem| problem.code().status().as_u16());
                    let good = match route.needs {
                        Nothing => true,
                        Admin | Metrics => *scope == Scope::Admin,
                        Shop(needed) => scope.allows(needed),
                    };
                    let foreign = of == "t" && *scope != Scope::Admin && of_path.is_some();
                    let expected = match (foreign, good) {
                        (true, _) => Err(404),
                        (false, true) => Ok(()),
                        (false, false) => Err(403),
                    };
                    assert_eq!(
                        found, expected,
                        "{} {} with {key}",
                        route.method, route.path
                    );
                }
            }
        }
    }
}
