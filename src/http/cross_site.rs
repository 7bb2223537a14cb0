//! Protects a server without keys from requests that a browser sends for other sites (CSRF, DNS rebinding).
//!
//! Such a server trusts every process on its machine, including a browser that shows pages of other sites. A page can
//! send requests to any address, and can make its own host name resolve to this machine. So `Host` must be a loopback
//! name or address, and a request that changes something must not come from another site. A server with keys needs no
//! such check: a page cannot know a key.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use actix_web::http::{Method, Uri};

use super::problem::{Problem, ProblemCode};

/// The header in which a browser says where a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request that a page of another site may have sent.
pub(super) fn refuse_foreign(request: &HttpRequest) -> Result<(), Problem> {
    check(request.method(), request.uri(), request.headers())
}

fn check(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(HOST).map(text);
    let host = hosts.next().unwrap_or_default();
    // An address in the request line takes precedence over the header.
    let others = hosts.chain(uri.host());
    if !is_loopback(host) || !others.into_iter().all(is_loopback) {
        return Err(Problem::new(
            ProblemCode::HostNotLocal,
            "A server without keys accepts only local names and addresses in `Host`. Use \
             http://localhost or http://127.0.0.1 with its port; to use another name, start the server without \
             --insecure and send keys.",
        ));
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let is_own = |origin: &str| {
        let plain = origin.strip_prefix("http://");
        let authority = plain.or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    };
    let mut origins = headers.get_all(ORIGIN).map(text).peekable();
    let has_origin = origins.peek().is_some();
    let own = origins.all(is_own);
    let site_good = headers.get_all(SEC_FETCH_SITE).map(text).all(|site| {
        let from_here = matches!(site, "same-origin" | "none");
        from_here || (site == "same-site" && has_origin && own)
    });
    if own && site_good {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::CrossSite,
        "The request comes from a page of another site, and a server without keys takes changes only from its own \
         pages and from programs. Send it from /docs of this server or from a program without `Origin`, or start \
         the server without --insecure and send a key.",
    ))
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

/// Whether an authority, with or without a port, is a loopback name or address.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if is_port(port) => return is_loopback_address(host),
            Some(_) | None => return false,
        },
        None => match authority.split_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            Some(_) => return false,
            None => authority,
        },
    };
    host.eq_ignore_ascii_case("localhost") || is_loopback_address(host)
}

/// Whether the text after an address in brackets is empty or a port.
fn is_port(rest: &str) -> bool {
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    rest.is_empty() || rest.strip_prefix(':').is_some_and(digits)
}

fn is_loopback_address(host: &str) -> bool {
    host.parse::<IpAddr>()
        .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, target: &str, headers: &[(&str, &str)]) -> Option<ProblemCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let found = check(&method, &target.parse().unwrap(), &map);
        found.err().map(|problem| problem.code())
    }

    #[test]
    fn the_host_is_this_machine() {
        for (host, good) in [
            ("localhost", true),
            ("LocalHost:7600", true),
            ("127.0.0.1", true),
            ("127.0.0.1:7600", true),
            ("127.255.3.4:80", true),
            ("[::1]", true),
            ("[::1]:7600", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("evil.example:7600", false),
            ("127.0.0.1.evil.example", false),
            ("127.0.0.1:7600@evil.example", false),
            ("0.0.0.0:7600", false),
            ("10.0.0.1", false),
            ("2130706433", false),
            ("127.1", false),
            ("::1", false),
            ("[::1", false),
            ("[::1]x", false),
            ("[::2]", false),
            ("localhost:", true),
            ("localhost:x", false),
            ("localhost.", false),
            ("", false),
        ] {
            let wrong = (!good).then_some(ProblemCode::HostNotLocal);
            for method in ["GET", "POST"] {
                assert_eq!(found(method, "/", &[("host", host)]), wrong, "{host:?}");
            }
        }
        let none = found("GET", "/", &[]);
        assert_eq!(none, Some(ProblemCode::HostNotLocal), "no host");
        let two = found("GET", "/", &[("host", "localhost"), ("host", "a.example")]);
        assert_eq!(two, Some(ProblemCode::HostNotLocal), "a second host");
        let line = found("GET", "http://a.example/", &[("host", "localhost")]);
        assert_eq!(
            line,
            Some(ProblemCode::HostNotLocal),
            "another in the first line"
        );
    }

    #[test]
    fn changes_come_from_here() {
        let own = ("origin", "http://127.0.0.1:7600");
        for (headers, good) in [
            (&[][..], true),
            (&[own], true),
            (&[("origin", "https://127.0.0.1:7600")], true),
            (&[own, ("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[own, ("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[own, ("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://127.0.0.1:3000")], false),
            (&[("origin", "http://127.0.0.1")], false),
            (&[("origin", "http://localhost:7600")], false),
            (&[("origin", "ftp://127.0.0.1:7600")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[own, ("origin", "https://evil.example")], false),
        ] {
            let mut all = vec![("host", "127.0.0.1:7600")];
            all.extend(headers);
            for (method, asks) in [
                ("GET", false),
                ("HEAD", false),
                ("POST", true),
                ("PUT", true),
                ("PATCH", true),
                ("DELETE", true),
                ("OPTIONS", true),
            ] {
                let wrong = (asks && !good).then_some(ProblemCode::CrossSite);
                assert_eq!(found(method, "/", &all), wrong, "{method} {headers:?}");
            }
        }
    }
}
