//! Webhook requests: the result of every kind of response, and that no URL makes the server connect to its own network.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::port::Port;
use crate::support::receiver::{Receiver, Reply};
use bytes::Bytes;
use reqwest::Url;
use xiaoer::domain::base::time::{Duration as Length, Instant};
use xiaoer::webhooks::{
    ANSWER_BYTES_MAX, CallResult, ClientSettings, Lookup, LookupCaller, LookupFuture, RetryAfter,
    SystemLookup, WebhookClient, read_url,
};

/// Enough for whoever answers at all.
const LONG: Duration = Duration::from_secs(60);

/// Enough for a head that is sent at once, also on a busy machine, and over soon.
const SHORT: Duration = Duration::from_secs(10);

/// Names of the test's own; counts how often it is asked.
#[derive(Clone)]
struct Names {
    asked: Arc<AtomicUsize>,
    answers: Arc<Mutex<Vec<Vec<IpAddr>>>>,
}

impl Names {
    /// Answers one after the other, the last one again and again; none: no name is found.
    fn new(answers: &[&[&str]]) -> Names {
        let read = |address: &&str| address.parse().expect("an address");
        let answers = answers.iter().rev();
        let answers = answers.map(|answer| answer.iter().map(read).collect());
        Names {
            asked: Arc::default(),
            answers: Arc::new(Mutex::new(answers.collect())),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Lookup for Names {
    fn lookup(&self, _host: &str) -> LookupFuture {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("the answers");
        let answer = match answers.len() {
            0 | 1 => answers.first().cloned(),
            _ => answers.pop(),
        };
        let answer = answer.ok_or_else(|| io::Error::other("nobody of that name"));
        Box::pin(async move { answer })
    }
}

/// A caller and the runtime that its connections live on.
struct Phone {
    runtime: tokio::runtime::Runtime,
    caller: WebhookClient,
}

impl Phone {
    fn new(timeout: Duration, private_addresses: bool, lookup: impl Lookup + 'static) -> Phone {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let calling = ClientSettings {
            timeout,
            private_addresses,
            lookup: Arc::new(lookup),
        };
        Phone {
            runtime: runtime.expect("a runtime"),
            caller: WebhookClient::new(calling).expect("a caller"),
        }
    }

    /// One that may call this machine.
    fn inside(timeout: Duration) -> Phone {
        Phone::new(timeout, true, Names::new(&[]))
    }

    /// One that may not.
    fn outside(lookup: impl Lookup + 'static) -> Phone {
        Phone::new(SHORT, false, lookup)
    }

    fn call(&self, url: &str) -> CallResult {
        self.call_with(url, &[])
    }

    fn call_with(&self, url: &str, headers: &[(&'static str, String)]) -> CallResult {
        let url = Url::parse(url).expect("a URL");
        let body = Bytes::from_static(b"{\"n\":1}");
        self.runtime.block_on(self.caller.post(&url, headers, body))
    }
}

/// What came of a call, without how long it took.
fn short(called: &CallResult) -> (Option<u16>, &str, Option<&str>) {
    (called.status, &called.answer, called.failure.as_deref())
}

#[test]
fn what_is_sent_arrives() {
    let receiver = Receiver::always(Reply::text(200, "收到"));
    let phone = Phone::inside(LONG);
    let headers = [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-signature", "v1,abc v1,def".to_owned()),
    ];
    let called = phone.call_with(&format!("{}?a=b", receiver.url()), &headers);
    assert_eq!(short(&called), (Some(200), "收到", None));
    assert!(called.delivered() && !called.is_gone() && called.micros > 0);
    let requests = receiver.wait_for(1);
    let request = &requests[0];
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/hook?a=b")
    );
    assert_eq!(request.body, b"{\"n\":1}");
    assert_eq!(request.json()["n"], 1);
    let agent = format!("xiaoer/{}", env!("CARGO_PKG_VERSION"));
    let host = format!("127.0.0.1:{}", receiver.port());
    let mut headers = request.headers.clone();
    headers.sort();
    let expected = [
        ("accept", "*/*"),
        ("content-length", "7"),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", &agent),
        ("webhook-id", "msg_1"),
        ("webhook-signature", "v1,abc v1,def"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers, expected);
}

#[test]
fn every_answer_is_told() {
    let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
    let closed = "connection closed before message completed";
    let garbled = "invalid HTTP version parsed";
    for (reply, status, answer, failure) in [
        (Reply::status(200), Some(200), "", None),
        (Reply::status(204), Some(204), "", None),
        (Reply::text(299, "ok"), Some(299), "ok", None),
        (Reply::text(300, "many"), Some(300), "many", None),
        (Reply::text(400, "no"), Some(400), "no", None),
        (Reply::text(410, "gone"), Some(410), "gone", None),
        (Reply::text(429, "later"), Some(429), "later", None),
        (Reply::text(500, "oh"), Some(500), "oh", None),
        (Reply::text(503, "later"), Some(503), "later", None),
        (Reply::Close, None, "", Some(closed)),
        (Reply::Reset, None, "", Some("connection reset")),
        (raw("HTTP/1.1 20"), None, "", Some(closed)),
        (raw("SMTP ready\r\n\r\n"), None, "", Some(garbled)),
        // The status came; what became of the rest is no matter.
        (
            raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
            Some(200),
            "half",
            None,
        ),
        (
            raw("HTTP/1.1 500 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhal\r\nzz"),
            Some(500),
            "hal",
            None,
        ),
    ] {
        let receiver = Receiver::always(reply.clone());
        let called = Phone::inside(LONG).call(&receiver.url());
        assert_eq!(short(&called), (status, answer, failure), "{reply:?}");
        let delivered = status.is_some_and(|status| status / 100 == 2);
        assert_eq!(called.delivered(), delivered, "{reply:?}");
        assert_eq!(called.is_gone(), status == Some(410), "{reply:?}");
        // Nothing is tried again here: whoever calls decides that.
        assert_eq!(receiver.connections(), 1, "{reply:?}");
        assert_eq!(receiver.requests().len(), 1, "{reply:?}");
    }
}

#[test]
fn slow_and_endless_answers_end_with_the_time() {
    let late = Some("timed out after 10 s");
    let drip = |status| Reply::Drip(status, vec![b'x'; 1000], Duration::from_secs(15));
    let informational = Reply::RawEndless(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
    let header = Reply::RawEndless(b"HTTP/1.1 200 OK\r\nx: y".to_vec());
    let rows = [
        (Reply::Never, None, late),
        (informational, None, late),
        (drip(200), Some(200), None),
        (drip(500), Some(500), None),
        (Reply::Endless(200), Some(200), None),
        (Reply::Endless(500), Some(500), None),
    ];
    std::thread::scope(|threads| {
        for (reply, status, failure) in rows {
            threads.spawn(move || {
                let receiver = Receiver::always(reply.clone());
                // Those that do not come to an end by themselves would not in an hour.
                let called = Phone::inside(SHORT).call(&receiver.url());
                assert_eq!(called.status, status, "{reply:?}");
                assert_eq!(called.failure.as_deref(), failure, "{reply:?}");
                assert!(called.answer.len() <= ANSWER_BYTES_MAX, "{reply:?}");
            });
        }
    });
    // A head without an end is given up long before the memory is.
    let receiver = Receiver::always(header);
    let called = Phone::inside(LONG).call(&receiver.url());
    assert_eq!(called.status, None);
    assert_eq!(called.failure.as_deref(), Some("message head is too large"));
}

#[test]
fn an_answer_is_kept_as_far_as_it_goes() {
    let max = ANSWER_BYTES_MAX;
    for (body, kept) in [
        ("x".repeat(max), "x".repeat(max)),
        ("x".repeat(max + 1), "x".repeat(max)),
        ("x".repeat(1 << 20), "x".repeat(max)),
        // 1,024 is a third of a character too much, which is left out.
        ("二".repeat(1000), "二".repeat(max / 3)),
    ] {
        let receiver = Receiver::always(Reply::text(200, &body));
        assert_eq!(Phone::inside(LONG).call(&receiver.url()).answer, kept);
    }
    let bytes = Reply::Answer(200, Vec::new(), b"a\xff\xfeb".to_vec());
    let receiver = Receiver::always(bytes);
    let called = Phone::inside(LONG).call(&receiver.url());
    assert_eq!(called.answer, "a\u{fffd}\u{fffd}b");
}

#[test]
fn retry_after_is_told() {
    let date = "Wed, 11 Nov 2026 02:00:00 GMT";
    for (value, expected) in [
        ("7", Some(RetryAfter::Wait(Length::from_ms(7000)))),
        (
            date,
            Some(RetryAfter::At(Instant::from_ms(1_794_362_400_000))),
        ),
        ("soon", None),
        ("日", None),
    ] {
        let receiver = Receiver::always(Reply::status(503).with("Retry-After", value));
        let called = Phone::inside(LONG).call(&receiver.url());
        assert_eq!((called.status, called.retry_after), (Some(503), expected));
    }
}

#[test]
fn nobody_at_home_is_told() {
    let port = Port::hold();
    let refused = Phone::inside(LONG).call(&format!("http://127.0.0.1:{}/", port.number));
    assert_eq!(short(&refused), (None, "", Some("connection refused")));
    let unknown = Phone::inside(LONG).call("http://hook.test/");
    let why = "the name hook.test was not found: nobody of that name";
    assert_eq!(short(&unknown), (None, "", Some(why)));
    let empty = Phone::new(LONG, true, Names::new(&[&[]])).call("http://hook.test/");
    let why = "the name hook.test has no address";
    assert_eq!(short(&empty), (None, "", Some(why)));
}

/// A lookup that never ends.
struct Stuck;

impl Lookup for Stuck {
    fn lookup(&self, _host: &str) -> LookupFuture {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_name_that_is_looked_up_for_ever_ends_with_the_time() {
    let wait = Duration::from_millis(250);
    let called = Phone::new(wait, true, Stuck).call("http://hook.test/");
    let why = called.failure.expect("a failure");
    // Both times are up at once.
    let known = ["no connection within 250 ms", "timed out after 250 ms"];
    assert!(
        called.status.is_none() && known.contains(&why.as_str()),
        "{why}"
    );
}

#[test]
fn connections_are_used_again_and_names_looked_up_once_for_each() {
    let receiver = Receiver::start(|request| match request.target.as_str() {
        "/long" => Reply::text(200, &"x".repeat(100_000)),
        _ => Reply::text(200, "ok"),
    });
    // A second lookup would find nobody there.
    let names = Names::new(&[&["127.0.0.1"], &["2d00::1"]]);
    let phone = Phone::new(LONG, true, names.clone());
    let url = |path: &str| format!("http://hook.test:{}{path}", receiver.port());
    for _ in 0..5 {
        assert_eq!(phone.call(&url("/")).status, Some(200));
    }
    assert_eq!((receiver.connections(), names.asked()), (1, 1));
    let host = format!("hook.test:{}", receiver.port());
    assert_eq!(receiver.requests()[4].header("host"), Some(host.as_str()));
    // An answer that is too long to be read is left, and its connection with it.
    let phone = Phone::inside(LONG);
    let long = format!("http://127.0.0.1:{}/long", receiver.port());
    let before = receiver.connections();
    assert!(phone.call(&long).delivered() && phone.call(&long).delivered());
    assert_eq!(receiver.connections(), before + 2);
}

#[test]
fn many_may_call_at_once() {
    let receiver = Receiver::always(Reply::text(200, "ok"));
    let phone = Phone::inside(LONG);
    let url = Url::parse(&receiver.url()).expect("a URL");
    let calls: Vec<_> = (0..50)
        .map(|n| {
            let (caller, url) = (phone.caller.clone(), url.clone());
            let body = Bytes::from(format!("{{\"n\":{n}}}"));
            let call = async move { caller.post(&url, &[], body).await };
            phone.runtime.spawn(call)
        })
        .collect();
    for call in calls {
        let called = phone.runtime.block_on(call).expect("a call");
        assert!(called.delivered(), "{called:?}");
    }
    let requests = receiver.requests();
    let mut sent: Vec<i64> = requests
        .iter()
        .filter_map(|request| request.json()["n"].as_i64())
        .collect();
    sent.sort_unstable();
    assert!(sent.into_iter().eq(0..50));
    // Of 50 connections a few wait for the next calls.
    let before = receiver.connections();
    for _ in 0..10 {
        assert!(phone.call(&receiver.url()).delivered());
    }
    assert_eq!(receiver.connections(), before);
}

#[test]
fn the_system_knows_its_own_names() {
    let receiver = Receiver::always(Reply::status(200));
    let url = format!("http://localhost:{}/", receiver.port());
    let called = Phone::new(LONG, true, SystemLookup::new()).call(&url);
    assert_eq!(called.status, Some(200), "{called:?}");
    let called = Phone::new(LONG, true, SystemLookup::new()).call("http://nobody.invalid/");
    let why = called.failure.expect("a failure");
    assert!(
        why.starts_with("the name nobody.invalid was not found: "),
        "{why}"
    );
}

#[test]
fn no_redirect_is_followed() {
    let inner = Receiver::always(Reply::status(200));
    for status in [301, 302, 303, 307, 308] {
        for target in [inner.url(), "/elsewhere".to_owned()] {
            let reply = Reply::status(status).with("Location", &target);
            let outer = Receiver::always(reply);
            let called = Phone::inside(LONG).call(&outer.url());
            assert_eq!(called.status, Some(status), "{target}");
            assert!(!called.delivered());
            assert_eq!(outer.requests().len(), 1, "{target}");
        }
    }
    assert_eq!(inner.connections(), 0);
}

/// Hosts that are no public address, in the spellings that a URL may have. `true`: this machine is behind it.
const PRIVATE_HOSTS: [(&str, bool); 76] = [
    ("127.0.0.1", true),
    ("127.0.0.1.", true),
    ("127.1", true),
    ("127.0.1", true),
    ("127.1.2.3", true),
    ("127.255.255.254", true),
    ("2130706433", true),
    ("0x7f000001", true),
    ("0X7F.0.0.1", true),
    ("0x7f.1", true),
    ("017700000001", true),
    ("0177.0.0.1", true),
    ("0177.0.0.01", true),
    ("00000177.0.0.1", true),
    ("127.0x1", true),
    ("127.0.0.0x1", true),
    ("%31%32%37.0.0.1", true),
    ("127%2e0%2e0%2e1", true),
    ("127。0。0。1", true),
    ("１２７.０.０.１", true),
    ("①②⑦.0.0.1", true),
    ("0", true),
    ("0.0.0.0", true),
    ("0x0", true),
    ("0.0.0.1", false),
    ("0.255.255.255", false),
    ("10.0.0.1", false),
    ("10.255.255.255", false),
    ("012.0.0.1", false),
    ("0xa000001", false),
    ("167772161", false),
    ("100.64.0.1", false),
    ("100.127.255.255", false),
    ("169.254.169.254", false),
    ("169.254.43518", false),
    ("0xa9fea9fe", false),
    ("2852039166", false),
    ("0251.0376.0251.0376", false),
    ("172.16.0.1", false),
    ("172.31.255.255", false),
    ("192.0.0.8", false),
    ("192.0.2.1", false),
    ("192.88.99.1", false),
    ("192.168.0.1", false),
    ("192.168.257", false),
    ("3232235777", false),
    ("198.18.0.1", false),
    ("198.19.255.255", false),
    ("198.51.100.7", false),
    ("203.0.113.7", false),
    ("224.0.0.1", false),
    ("239.255.255.255", false),
    ("240.0.0.1", false),
    ("255.255.255.255", false),
    ("[::]", false),
    ("[::1]", false),
    ("[0:0:0:0:0:0:0:1]", false),
    ("[0000:0000:0000:0000:0000:0000:0000:0001]", false),
    ("[::ffff:127.0.0.1]", true),
    ("[::FFFF:7F00:1]", true),
    ("[0:0:0:0:0:ffff:127.0.0.1]", true),
    ("[::ffff:10.0.0.1]", false),
    ("[::ffff:a9fe:a9fe]", false),
    ("[::127.0.0.1]", false),
    ("[64:ff9b::127.0.0.1]", false),
    ("[64:ff9b:1::a00:1]", false),
    ("[100::1]", false),
    ("[2001::1]", false),
    ("[2001:db8::1]", false),
    ("[2002:7f00:1::]", false),
    ("[fc00::1]", false),
    ("[fd12:3456:789a::1]", false),
    ("[fe80::1]", false),
    ("[fec0::1]", false),
    ("[ff02::1]", false),
    ("[3fff::1]", false),
];

/// Names that are this machine's own whoever is asked.
const LOCAL_NAMES: [&str; 5] = [
    "localhost",
    "LocalHost",
    "localhost.",
    "deep.inside.localhost",
    "ｌｏｃａｌｈｏｓｔ",
];

/// A receiver that everything on this machine leads to.
fn canary() -> Receiver {
    let listen = |address| Receiver::listen(address, None, |_| Reply::status(200));
    let canary = listen("[::]:0").or_else(|_| listen("0.0.0.0:0"));
    canary.expect("a free port")
}

#[test]
fn no_spelling_of_a_private_host_is_called() {
    let canary = canary();
    // Were the resolver asked for a host that is an address, it would say where the canary is.
    let names = Names::new(&[&["127.0.0.1"]]);
    let phone = Phone::outside(names.clone());
    let url = |host: &str| format!("http://{host}:{}/hook", canary.port());
    let hosts = PRIVATE_HOSTS.iter().map(|(host, _)| *host);
    for host in hosts.chain(LOCAL_NAMES) {
        let url = url(host);
        let refusal = read_url(&url, false).expect_err(host);
        assert!(
            refusal.contains("set webhook.private_addresses to true"),
            "{host}: {refusal}"
        );
        assert!(read_url(&url, true).is_ok(), "{host}");
        let called = phone.call(&url);
        assert_eq!(called.failure, Some(refusal), "{host}");
        assert_eq!((called.status, called.delivered()), (None, false));
        assert_eq!(canary.connections(), 0, "{host}");
    }
    assert_eq!(names.asked(), 0);
    // The same spellings do lead there where that is allowed: the canary can see.
    let phone = Phone::new(LONG, true, names);
    let inside = PRIVATE_HOSTS.iter().filter(|(_, inside)| *inside);
    for (host, _) in inside {
        let called = phone.call(&url(host));
        assert_eq!(called.status, Some(200), "{host}: {called:?}");
    }
}

#[test]
fn no_name_of_a_private_address_is_called() {
    let canary = canary();
    let url = format!("http://hook.example:{}/hook", canary.port());
    assert!(
        read_url(&url, false).is_ok(),
        "names are judged when they are looked up"
    );
    for answer in [
        &["127.0.0.1"][..],
        &["0.0.0.0"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["100.100.100.200"],
        &["::1"],
        &["::"],
        &["::ffff:127.0.0.1"],
        &["::127.0.0.1"],
        &["64:ff9b::127.0.0.1"],
        &["2002:7f00:1::"],
        &["fd00::1"],
        &["fe80::1"],
        &["2d00::1", "127.0.0.1"],
        &["127.0.0.1", "2d00::1"],
        &["2d00::1", "2d00::2", "2d00::3", "::ffff:7f00:1"],
    ] {
        let names = Names::new(&[answer]);
        let called = Phone::outside(names.clone()).call(&url);
        let why = "an address of hook.example is private, and webhook.private_addresses is off: give a public \
                   address, or set webhook.private_addresses to true";
        assert_eq!(short(&called), (None, "", Some(why)), "{answer:?}");
        assert_eq!(names.asked(), 1, "{answer:?}");
    }
    assert_eq!(canary.connections(), 0);
    // Where it is allowed, the first of them that can be reached is called.
    let phone = Phone::new(LONG, true, Names::new(&[&["127.0.0.1"]]));
    assert_eq!(phone.call(&url).status, Some(200));
}

#[test]
fn a_name_that_changes_its_mind_is_called_at_what_was_checked() {
    let canary = canary();
    let url = format!("http://hook.example:{}/hook", canary.port());
    // Whoever looked it up once to check and once more to connect would be led inside.
    let names = Names::new(&[&["2d00::1"], &["127.0.0.1"]]);
    let phone = Phone::outside(names.clone());
    let first = phone.call(&url);
    assert!(!first.failure.expect("nobody is there").contains("private"));
    assert_eq!((names.asked(), canary.connections()), (1, 0));
    let second = phone.call(&url);
    assert!(second.failure.expect("a failure").contains("is private"));
    assert_eq!((names.asked(), canary.connections()), (2, 0));
}

/// Names of `dead` give no answer, all others are the receiver's.
struct Dead;

impl Lookup for Dead {
    fn lookup(&self, host: &str) -> LookupFuture {
        if host.ends_with(".dead") {
            return Box::pin(std::future::pending());
        }
        Box::pin(async { Ok(vec![std::net::IpAddr::from([127, 0, 0, 1])]) })
    }
}

/// While hundreds of look-ups of strangers hang, another shop's call is made.
#[test]
fn names_that_give_no_answer_starve_nobody_else() {
    let receiver = Receiver::always(Reply::text(200, "ok"));
    let phone = Phone::new(LONG, true, Dead);
    let asker = |shop: usize, endpoint: usize| LookupCaller {
        shop: xiaoer::domain::base::id::Id::new(&format!("s{shop}")).expect("an id"),
        endpoint: format!("wh{endpoint}"),
    };
    let call = |asker: LookupCaller, url: String| {
        let caller = phone.caller.clone();
        let url = Url::parse(&url).expect("a URL");
        let call = async move { caller.post_for(asker, &url, &[], Bytes::new()).await };
        phone.runtime.spawn(call)
    };
    for shop in 0..4 {
        for endpoint in 0..200 {
            let url = format!("http://h{shop}-{endpoint}.dead/");
            drop(call(asker(shop, endpoint), url));
        }
    }
    let url = format!("http://hook.test:{}/", receiver.port());
    let called = phone.runtime.block_on(call(asker(9, 1), url));
    let called = called.expect("a call");
    assert!(called.delivered(), "{called:?}");
}

/// A machine with a public address on an interface, to which a name leads too.
struct Outside;

impl Lookup for Outside {
    fn lookup(&self, _host: &str) -> LookupFuture {
        Box::pin(async { Ok(vec!["2d00::1".parse().expect("an address")]) })
    }

    fn own_addresses(&self) -> io::Result<Vec<std::net::IpAddr>> {
        Ok(["2d00::1", "8.8.8.8"]
            .map(|address| address.parse().expect("an address"))
            .to_vec())
    }
}

#[test]
fn public_addresses_of_this_machine_are_not_called() {
    let phone = Phone::outside(Outside);
    for (host, why) in [
        ("[2d00::1]", "this machine's own"),
        ("8.8.8.8", "this machine's own"),
        ("[::ffff:8.8.8.8]", "this machine's own"),
        ("hook.example", "an address of hook.example is private"),
    ] {
        let url = format!("http://{host}:1/");
        let failure = phone.call(&url).failure.expect("a failure");
        assert!(failure.contains(why), "{host}: {failure}");
        let checked = phone.caller.check(&Url::parse(&url).expect("a URL"));
        assert_eq!(checked.is_ok(), host == "hook.example", "{host}");
    }
    let neighbour = phone
        .call("http://[2d00::2]:1/")
        .failure
        .expect("a failure");
    assert!(!neighbour.contains("private"), "{neighbour}");
}
