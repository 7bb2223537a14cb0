//! The API description: OpenAPI for programs, and a page for people that loads nothing from other servers.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use bytes::Bytes;
use utoipa_swagger_ui::Config;

use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{JSON_TYPE, shared};

/// The API description as OpenAPI 3.1
#[utoipa::path(get, path = "/openapi.json", tag = "server", operation_id = "get_openapi",
    responses((status = 200, body = serde_json::Value)))]
pub async fn openapi(call: RequestContext) -> HandlerResult {
    Ok(shared(JSON_TYPE, call.state.description.clone()))
}

/// Redirects to the API reference page
#[utoipa::path(get, path = "/docs", tag = "server", operation_id = "get_docs",
    responses((status = 303)))]
pub async fn front(_: RequestContext) -> HandlerResult {
    // The page loads its files by relative address, so its own address must end with a slash or a file name.
    let moved = HttpResponse::SeeOther()
        .insert_header((LOCATION, "/docs/index.html"))
        .finish();
    Ok(moved)
}

/// A file of the API reference page
#[utoipa::path(get, path = "/docs/{file}", tag = "server", operation_id = "get_docs_file",
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn file(call: RequestContext) -> HandlerResult {
    let config: Config<'static> = Config::from("/openapi.json")
        .validator_url("none")
        .persist_authorization(true);
    match utoipa_swagger_ui::serve(&call.segment("file"), Arc::new(config)) {
        Ok(Some(file)) => {
            // Nearly all files are embedded in the binary.
            let bytes = match file.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            Ok(shared(&file.content_type, bytes))
        }
        Ok(None) | Err(_) => Err(Problem::new(
            ProblemCode::NotFound,
            "There is no such file. The page is at `/docs`.",
        )),
    }
}
