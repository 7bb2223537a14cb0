//! H1 to H3: opening hours, holidays, and what happens while the shop is closed.

use expect_test::expect;

use crate::rules::table::check;

#[test]
fn h1_open_and_closed() {
    check(
        "H1 H3 from <= t < to; a day left out is closed; a single day wins over the week",
        "2026-11-16T08:00:00+08:00 shop standard hours.week={\"mon\":[\"09:00-12:00\",\"13:00-18:00\"],\"wed\":[\"00:00-24:00\"]} hours.days={\"2026-11-18\":[\"10:00-11:00\"]}
         2026-11-16T09:00:00+08:00 clock
         2026-11-16T11:59:59.999+08:00 clock
         2026-11-19T00:00:00+08:00 clock",
        expect![[r#"
            08:00:00 hours.closed until=09:00:00
            09:00:00 hours.opened until=12:00:00
            12:00:00 hours.closed until=13:00:00
            13:00:00 hours.opened until=18:00:00
            18:00:00 hours.closed until=11-18T10:00:00
            11-18T10:00:00 hours.opened until=11-18T11:00:00
            11-18T11:00:00 hours.closed until=11-23T09:00:00
        "#]],
    );
    check(
        "H3 no week: open, but for the single days; nothing within 400 days: no until",
        "2026-11-16T08:00:00+08:00 shop standard hours.days={\"2026-11-17\":[]}
         2026-11-20T00:00:00+08:00 clock",
        expect![[r#"
            11-17T00:00:00 hours.closed until=11-18T00:00:00
            11-18T00:00:00 hours.opened until=-
        "#]],
    );
    check(
        "H3 a policy that makes it other than it was says so; one that does not says nothing",
        "2026-11-16T08:00:00+08:00 shop standard hours.week={\"mon\":[\"07:00-09:00\"]}
               shop standard hours.week={\"mon\":[\"07:00-10:00\"]}
               shop standard hours.week={\"tue\":[\"07:00-10:00\"]}
               shop standard",
        expect![[r#"
            08:00:00 hours.closed until=11-17T07:00:00
            08:00:00 hours.opened until=-
        "#]],
    );
    check(
        "H3 wall time alone decides where clocks change: 02:30 is skipped in spring, and comes twice in autumn",
        "2026-03-08T00:00:00-05:00 shop standard timezone=America/New_York hours.days={\"2026-03-08\":[\"00:00-02:30\"],\"2026-11-01\":[\"00:00-01:30\"]} hours.week={\"mon\":[]}
         2026-03-10T00:00:00-04:00 clock
         2026-11-03T00:00:00-05:00 clock",
        expect![[r#"
            2026-03-08T03:00:00-04:00 hours.closed until=2026-11-01T00:00:00-04:00
            2026-11-01T00:00:00-04:00 hours.opened until=2026-11-01T01:30:00-04:00
            2026-11-01T01:30:00-04:00 hours.closed until=2026-11-01T01:00:00-05:00
            2026-11-01T01:00:00-05:00 hours.opened until=2026-11-01T01:30:00-05:00
            2026-11-01T01:30:00-05:00 hours.closed until=-
        "#]],
    );
}

#[test]
fn h2_while_it_is_closed() {
    check(
        "H2 inform: routed as usual",
        "2026-11-16T20:00:00+08:00 shop standard hours.week={\"mon\":[\"09:00-18:00\"]}
               agents anna
               online anna
               opened s1 b1",
        expect![[r#"
            20:00:00 hours.closed until=11-23T09:00:00
            20:00:00 assigned s1 b1 anna all
        "#]],
    );
    check(
        "H2 offline: as if nobody were online; the prompt and the reply of the closed shop; a transfer works; at the opening it is drained",
        "2026-11-16T20:00:00+08:00 shop standard hours.week={\"mon\":[\"09:00-18:00\"],\"tue\":[\"09:00-18:00\"]} hours.outside=offline hours.prompt=closed auto_reply.closed={\"enabled\":true,\"text\":\"we-open-at-9\"}
               agents anna bo capacity=1
               online anna bo
               opened s1 b1
               opened s2 b2
               opened s3 b3
               transfer s2 anna
         2026-11-17T09:00:00+08:00 clock",
        expect![[r#"
            20:00:00 hours.closed until=11-17T09:00:00
            20:00:00 queued s1 b1 all 1 closed "closed"
            20:00:00 auto_reply s1 "we-open-at-9"
            20:00:00 queued s2 b2 all 2 closed "closed"
            20:00:00 auto_reply s2 "we-open-at-9"
            20:00:00 queued s3 b3 all 3 closed "closed"
            20:00:00 auto_reply s3 "we-open-at-9"
            20:00:00 assigned s2 b2 anna manual
            11-17T09:00:00 hours.opened until=11-17T18:00:00
            11-17T09:00:00 assigned s1 b1 bo queue waited=46800
        "#]],
    );
    check(
        "H2 the rota gets it, notified only where it is not online; the closed reply takes the place of the offline one, once a session",
        "2026-11-16T20:00:00+08:00 shop standard hours.week={\"mon\":[\"09:00-18:00\"]} hours.outside=offline routing.offline={\"mode\":\"rota\",\"members\":[\"anna\",\"bo\"]} auto_reply.closed={\"enabled\":true,\"text\":\"closed\"} auto_reply.offline={\"enabled\":true,\"text\":\"offline\"}
               agents anna bo
               online anna
               opened s1 b1
               opened s2 b2
               buyer s2",
        expect![[r#"
            20:00:00 hours.closed until=11-23T09:00:00
            20:00:00 assigned s1 b1 anna offline_rota
            20:00:00 auto_reply s1 "closed"
            20:00:00 assigned s2 b2 bo offline_rota
            20:00:00 notified bo s2
            20:00:00 auto_reply s2 "closed"
            20:00:00 notified bo s2
        "#]],
    );
    check(
        "H2 nothing is taken back, and a removed agent's sessions wait, closed",
        "2026-11-16T17:59:30+08:00 shop standard hours.week={\"mon\":[\"09:00-18:00\"],\"tue\":[\"09:00-18:00\"]} hours.outside=offline routing.take_back.after=60s
               agents anna bo
               online anna bo
               opened s1 b1
               opened s2 b2
               buyer s1
         2026-11-16T18:05:00+08:00 removed bo
         2026-11-17T09:00:00+08:00 clock",
        expect![[r#"
            17:59:30 assigned s1 b1 anna all
            17:59:30 assigned s2 b2 bo all
            18:00:00 hours.closed until=11-17T09:00:00
            18:01:10 reply.due s1 b1 anna since=17:59:30 overdue_at=18:02:30
            18:02:30 reply.overdue s1 b1 anna since=17:59:30
            18:05:00 queued s2 b2 all 1 closed
            11-17T09:00:00 hours.opened until=11-17T18:00:00
            11-17T09:00:00 assigned s2 b2 anna queue waited=53700
        "#]],
    );
}
