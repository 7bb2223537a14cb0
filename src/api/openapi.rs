//! The OpenAPI 3.1 description, derived from the handlers and the route table.
//!
//! The tests check that every route has its operation.

use bytes::Bytes;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, ObjectBuilder, PathItem, Ref, Required, ResponseBuilder, Type};
use utoipa::{Modify, OpenApi};

use super::resources::{
    agents, decisions, deliveries, keys, policies, ratings, sessions, shops, webhooks,
};
use super::routes::ROUTES;
use super::schema::{DecisionSchema, Event, Problem, flatten};
use super::{docs, events, health, stream};
use crate::http::auth::Needs;
use crate::http::problem::PROBLEM_TYPE;
use crate::http::route::Route;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Xiaoer 小二",
        description = "The core of a shop's customer service: it takes events and answers with decisions, such as \
                       which agent gets a session. Every error is a problem document (RFC 9457) whose `code` is stable."
    ),
    paths(
        events::post,
        shops::list, shops::put, shops::delete, shops::report,
        policies::get, policies::put, policies::check,
        agents::list, agents::get, agents::put, agents::delete, agents::put_presence,
        sessions::list, sessions::get, sessions::invite, sessions::pools, sessions::questions,
        ratings::list,
        decisions::list, decisions::get, decisions::why, stream::open,
        webhooks::list, webhooks::post, webhooks::get, webhooks::patch, webhooks::delete,
        webhooks::rotate, webhooks::test, deliveries::list, deliveries::resend,
        keys::list, keys::post, keys::delete,
        health::alive, health::ready, health::metrics,
        docs::openapi, docs::front, docs::file,
    ),
    components(schemas(Problem, Event, DecisionSchema)),
    modifiers(&FromTable)
)]
struct Description;

/// The complete description as JSON, as served.
pub fn description() -> Bytes {
    described().to_json().unwrap_or_default().into()
}

/// The complete description.
pub fn described() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Adds what the route table knows of each operation: its parameters, its key scope and its problem response.
struct FromTable;

/// The name of the security scheme.
const BEARER: &str = "key";

impl Modify for FromTable {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(BEARER, scheme);
        flatten(&mut components.schemas);
        for route in ROUTES {
            let path = openapi.paths.paths.get_mut(route.path);
            if let Some(operation) = path.and_then(|path| operation(path, route.method)) {
                complete(operation, route);
            }
        }
    }
}

fn operation<'a>(path: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "GET" => path.get.as_mut(),
        "PUT" => path.put.as_mut(),
        "POST" => path.post.as_mut(),
        "PATCH" => path.patch.as_mut(),
        "DELETE" => path.delete.as_mut(),
        _ => None,
    }
}

fn complete(operation: &mut Operation, route: &Route) {
    let in_path = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(parameter(name, ParameterIn::Path, Required::True))
    });
    let in_query = route
        .query
        .iter()
        .map(|name| parameter(name, ParameterIn::Query, Required::False));
    // Only the handler describes header parameters.
    let in_header = operation.parameters.take().into_iter().flatten();
    let table = in_path.chain(in_query).map(Into::into);
    operation.parameters = Some(table.chain(in_header).collect());
    if route.needs != Needs::Nothing {
        let requirement = SecurityRequirement::new(BEARER, Vec::<String>::new());
        operation.security = Some(vec![requirement]);
        let needed = match route.needs {
            Needs::Shop(scope) => {
                format!("Needs a key of the shop with the scope `{}`.", scope.code())
            }
            Needs::Admin => "Needs a key with the scope `admin`.".to_owned(),
            Needs::Metrics => {
                "Needs a key with the scope `admin`, unless the settings make it public.".to_owned()
            }
            Needs::Nothing => String::new(),
        };
        let described = operation.description.take().unwrap_or_default();
        operation.description = Some(format!("{described}\n\n{needed}").trim().to_owned());
    }
    let problem = ResponseBuilder::new()
        .description("What was wrong, and what to do next")
        .content(
            PROBLEM_TYPE,
            Content::new(Some(Ref::from_schema_name("Problem"))),
        );
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), problem.build().into());
}

fn parameter(name: &str, place: ParameterIn, required: Required) -> Parameter {
    let kind = match name {
        "limit" | "after" | "seq" => Type::Integer,
        _ => Type::String,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .build()
}
