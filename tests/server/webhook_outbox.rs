//! The outbox of an endpoint in virtual time: the order of messages, what blocks the in-order lane and for how long,
//! when failed messages are retried, and when the endpoint is disabled.

use std::collections::{BTreeMap, BTreeSet};

use xiaoer::domain::base::time::{Duration, Instant};
use xiaoer::webhooks::delivery::delivery_state::{
    Attempt, AttemptResult, DeliveryCursor, Lane, PendingRetry, SeqRange,
};
use xiaoer::webhooks::delivery::outbox::{
    AttemptEnd, Change, DISABLE_AFTER, HEAD_OF_LINE_MAX, Next, Outbox, REPLAYS_MAX, RETRIES_MAX,
};

const TIMEOUT: Duration = Duration::from_ms(15_000);

/// What a receiver makes of a message, at an instant in milliseconds since the start.
type Receiver = Box<dyn FnMut(u64, i64) -> Answer>;

/// An answer, and how long it took.
#[derive(Clone, Copy)]
enum Answer {
    Taken,
    Refused,
    /// No answer until the time-out.
    Hangs,
    /// Refused, with a wish to be left alone for so many milliseconds.
    Later(i64),
    Gone,
}

/// One try as the receiver saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    at: i64,
    seq: u64,
    lane: Lane,
    taken: bool,
}

/// A courier without a network: one message a decision, time that jumps to whatever comes next.
struct Run {
    outbox: Outbox,
    now: i64,
    receiver: Receiver,
    /// When each decision is taken: `seq` counts from 1.
    decided: Vec<i64>,
    under_way: Vec<(i64, Attempt, Answer)>,
    seen: Vec<Seen>,
    /// What was kept, as a restart would find it.
    kept: BTreeMap<SeqRange, PendingRetry>,
    cursor: DeliveryCursor,
    off: bool,
}

impl Run {
    fn new(decided: Vec<i64>, receiver: impl FnMut(u64, i64) -> Answer + 'static) -> Run {
        Run {
            outbox: Outbox::new(0, TIMEOUT),
            now: 0,
            receiver: Box::new(receiver),
            decided,
            under_way: Vec::new(),
            seen: Vec::new(),
            kept: BTreeMap::new(),
            cursor: DeliveryCursor::default(),
            off: false,
        }
    }

    fn instant(&self) -> Instant {
        Instant::from_ms(self.now)
    }

    /// Goes on until an instant, or until nothing is left to do.
    fn until(&mut self, end: i64) -> &mut Run {
        while !self.off {
            let wake = match self.outbox.next(self.instant()) {
                Next::Retry(of) => {
                    self.send(of);
                    continue;
                }
                Next::Read(lane, after, until) => {
                    let seq = after + 1;
                    let there = self
                        .decided
                        .get(after as usize)
                        .is_some_and(|at| *at <= self.now);
                    if there && until.is_none_or(|until| seq <= until) {
                        let range = SeqRange { from: seq, to: seq };
                        self.send(Attempt { range, lane });
                    } else {
                        self.outbox.exhausted(lane);
                    }
                    continue;
                }
                Next::Wait(wake) => wake.map(Instant::ms),
            };
            let done = self.under_way.iter().map(|(at, _, _)| *at).min();
            let decided = self.decided.partition_point(|at| *at <= self.now);
            let news = self.decided.get(decided).copied();
            let next = [wake, done, news].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                break;
            };
            self.now = next;
            self.outbox.mark_new_decisions();
            self.land();
        }
        self
    }

    fn send(&mut self, of: Attempt) {
        self.outbox.begin(of, self.instant());
        let answer = (self.receiver)(of.range.from, self.now);
        let took = match answer {
            Answer::Hangs => TIMEOUT.ms(),
            Answer::Taken | Answer::Refused | Answer::Later(_) | Answer::Gone => 1,
        };
        self.seen.push(Seen {
            at: self.now,
            seq: of.range.from,
            lane: of.lane,
            taken: matches!(answer, Answer::Taken),
        });
        self.under_way.push((self.now + took, of, answer));
    }

    fn land(&mut self) {
        let now = self.now;
        while let Some(place) = self.under_way.iter().position(|(at, _, _)| *at <= now) {
            let (_, of, answer) = self.under_way.remove(place);
            let ended = match answer {
                Answer::Taken => AttemptEnd::Delivered,
                Answer::Refused | Answer::Hangs => AttemptEnd::Failed(None),
                Answer::Later(ms) => AttemptEnd::Failed(Some(Instant::from_ms(now + ms))),
                Answer::Gone => AttemptEnd::Gone,
            };
            let message = format!("m{}", of.range.from);
            let told = AttemptResult::default();
            let changes = self
                .outbox
                .finish(of, ended, told, &message, self.instant());
            for change in changes {
                match change {
                    Change::Queued(range) => {
                        let of = self
                            .outbox
                            .pending_retry(range)
                            .cloned()
                            .expect("it is aside");
                        self.kept.insert(range, of);
                    }
                    Change::Dequeued(range) => drop(self.kept.remove(&range)),
                    Change::Cursor => self.cursor = self.outbox.cursor().clone(),
                    Change::Disable => self.off = true,
                }
            }
        }
    }

    /// As after a crash: what was kept is all there is.
    fn restart(&mut self) -> &mut Run {
        let aside = self.kept.values().cloned().collect();
        self.outbox = Outbox::restored(self.cursor.clone(), aside, TIMEOUT);
        self.under_way.clear();
        self
    }

    fn taken(&self) -> Vec<u64> {
        let taken = self.seen.iter().filter(|seen| seen.taken);
        taken.map(|seen| seen.seq).collect()
    }

    fn tries_of(&self, seq: u64) -> Vec<i64> {
        let of = self.seen.iter().filter(|seen| seen.seq == seq);
        of.map(|seen| seen.at).collect()
    }
}

const S: i64 = 1000;
const M: i64 = 60 * S;
const H: i64 = 60 * M;

fn all_at_once(count: usize) -> Vec<i64> {
    vec![0; count]
}

#[test]
fn what_is_taken_goes_out_once_in_order() {
    let mut run = Run::new((0..50).map(|n| n * 10).collect(), |_, _| Answer::Taken);
    run.until(M);
    assert_eq!(run.taken(), (1..=50).collect::<Vec<u64>>());
    assert_eq!(run.outbox.cursor().done, 50);
    assert_eq!(run.outbox.counts(), (0, 0));
}

/// Poison: it holds the line for a minute at most, the rest goes on in order, and it is tried for three days.
#[test]
fn a_poison_message_holds_the_line_for_a_minute_and_is_tried_for_three_days() {
    for hangs in [false, true] {
        let mut run = Run::new(all_at_once(20), move |seq, _| match (seq == 5, hangs) {
            (true, true) => Answer::Hangs,
            (true, false) => Answer::Refused,
            (false, _) => Answer::Taken,
        });
        run.until(100 * H);
        let order: Vec<u64> = (1..=20).filter(|seq| *seq != 5).collect();
        assert_eq!(run.taken(), order);
        let sixth = run.tries_of(6)[0];
        assert!(
            sixth <= HEAD_OF_LINE_MAX.ms() + 10,
            "the line was held for {sixth} ms"
        );
        let tries = run.tries_of(5);
        assert_eq!(tries.len(), 12, "hangs: {hangs}");
        let last = tries[11];
        assert!(
            (68 * H..=84 * H).contains(&last),
            "the last try after {last} ms"
        );
        // By a tenth each way: 5 s, 10 s, 20 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the one before ended.
        let waits = [
            5, 10, 20, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
        ];
        let took = if hangs { TIMEOUT.ms() } else { 1 };
        for (pair, wait) in tries.windows(2).zip(waits) {
            let waited = pair[1] - pair[0] - took;
            assert!(
                (wait * 900..=wait * 1100).contains(&waited),
                "waited {waited} ms for {wait} s"
            );
        }
        assert_eq!(run.outbox.counts(), (0, 1), "it is given up, and listed");
        assert!(!run.off, "others were taken");
    }
}

#[test]
fn an_endpoint_that_was_away_catches_up_in_order() {
    // A decision a second for a day; the endpoint is away for the first 6 hours.
    let decided: Vec<i64> = (0..24 * 3600).map(|n| n * S).collect();
    let count = decided.len() as u64;
    let mut run = Run::new(decided, |_, at| {
        if at < 6 * H {
            Answer::Refused
        } else {
            Answer::Taken
        }
    });
    run.until(6 * H - 1);
    let (aside, given_up) = run.outbox.counts();
    assert_eq!(given_up, 0);
    assert!(
        (300..=6 * 60 + 130).contains(&aside),
        "about one a minute is aside: {aside}"
    );
    run.until(30 * H);
    assert_eq!(run.outbox.counts(), (0, 0));
    let in_line: Vec<u64> = run
        .seen
        .iter()
        .filter(|seen| seen.taken && seen.lane == Lane::InOrder)
        .map(|seen| seen.seq)
        .collect();
    assert!(in_line.is_sorted(), "first tries are in order");
    let taken = run.taken();
    assert_eq!(taken.len() as u64, count, "each once");
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len() as u64, count);
    // What was aside comes when the endpoint is back, not hours later.
    let back = run
        .seen
        .iter()
        .filter(|seen| seen.lane == Lane::Retry && seen.taken);
    let latest = back.map(|seen| seen.at).max().unwrap_or(0);
    assert!(
        latest < 6 * H + 2 * M,
        "the last from aside after {latest} ms"
    );
}

#[test]
fn retry_after_is_honoured() {
    for (asked_ms, least, most) in [
        (20 * S, 20 * S, 21 * S),
        (2 * H, 2 * H, 2 * H + S),
        // Longer than the day that may be asked for.
        (90 * H, 24 * H, 24 * H + S),
        // Shorter than the schedule.
        (S, 4 * S, 6 * S),
    ] {
        let mut first = true;
        let mut run = Run::new(all_at_once(2), move |seq, _| {
            if seq == 1 && std::mem::replace(&mut first, false) {
                Answer::Later(asked_ms)
            } else {
                Answer::Taken
            }
        });
        run.until(200 * H);
        let tries = run.tries_of(1);
        let waited = tries[1] - tries[0];
        assert!(
            (least..=most).contains(&waited),
            "asked for {asked_ms}, waited {waited}"
        );
        let second = run.tries_of(2)[0];
        assert!(
            second <= HEAD_OF_LINE_MAX.ms(),
            "the next waits a minute at most: {second}"
        );
    }
}

#[test]
fn gone_switches_off_at_once_and_nothing_is_lost() {
    let mut run = Run::new(all_at_once(4), |seq, at| {
        if seq == 2 && at < M {
            Answer::Gone
        } else {
            Answer::Taken
        }
    });
    run.until(H);
    assert!(run.off);
    assert_eq!(run.taken(), [1]);
    // Somebody has switched it on again.
    run.off = false;
    run.now = 2 * H;
    let now = run.instant();
    run.outbox.reset_failures(now);
    run.until(3 * H);
    assert_eq!(run.taken(), [1, 2, 3, 4]);
}

#[test]
fn nothing_but_failures_for_five_days_switches_off() {
    let decided: Vec<i64> = (0..200).map(|n| n * H).collect();
    let mut run = Run::new(decided.clone(), |_, _| Answer::Refused);
    run.until(200 * H);
    assert!(run.off);
    let five_days = DISABLE_AFTER.ms();
    assert!(
        (five_days..five_days + 2 * H).contains(&run.now),
        "after {} ms",
        run.now
    );
    // One success in between, and it is not.
    let mut run = Run::new(decided, |_, at| {
        if (60 * H..62 * H).contains(&at) {
            Answer::Taken
        } else {
            Answer::Refused
        }
    });
    run.until(150 * H);
    assert!(!run.off);
    let aside = run.outbox.failed_messages().count();
    assert!(aside < RETRIES_MAX);
}

#[test]
fn with_too_many_aside_the_line_waits() {
    let aside = (1..=RETRIES_MAX as u64).map(|seq| PendingRetry {
        range: SeqRange { from: seq, to: seq },
        attempts: 9,
        first: Instant::from_ms(0),
        retry_at: Some(Instant::from_ms(1000 * H)),
        result: AttemptResult::default(),
    });
    let progress = DeliveryCursor {
        done: RETRIES_MAX as u64,
        ..DeliveryCursor::default()
    };
    let mut run = Run::new(all_at_once(RETRIES_MAX + 2), |_, at| {
        if at < 5 * H {
            Answer::Refused
        } else {
            Answer::Taken
        }
    });
    run.outbox = Outbox::restored(progress, aside.collect(), TIMEOUT);
    run.until(5 * H - 1);
    assert_eq!(
        run.outbox.failed_messages().count(),
        RETRIES_MAX + 1,
        "one holds the line"
    );
    run.until(6 * H);
    assert_eq!(run.outbox.cursor().done, RETRIES_MAX as u64 + 2);
}

#[test]
fn a_range_is_sent_again_beside_what_is_new() {
    let mut run = Run::new((0..40).map(|n| n * S).collect(), |_, _| Answer::Taken);
    run.until(20 * S);
    assert!(run.outbox.resend(SeqRange { from: 3, to: 6 }));
    run.until(M);
    let again: Vec<u64> = run
        .seen
        .iter()
        .filter(|seen| seen.lane == Lane::Replay)
        .map(|seen| seen.seq)
        .collect();
    assert_eq!(again, [3, 4, 5, 6]);
    assert_eq!(run.outbox.cursor().done, 40);
    assert!(run.outbox.cursor().replays.is_empty());
    for range in 0..REPLAYS_MAX as u64 {
        assert!(run.outbox.resend(SeqRange {
            from: 1,
            to: 1 + range
        }));
    }
    assert!(!run.outbox.resend(SeqRange { from: 1, to: 2 }));
}

#[test]
fn what_was_given_up_can_be_sent_again() {
    let mut run = Run::new(all_at_once(3), |seq, at| {
        if seq == 2 && at < 100 * H {
            Answer::Refused
        } else {
            Answer::Taken
        }
    });
    run.until(101 * H);
    assert_eq!(run.outbox.counts(), (0, 1));
    run.outbox.resend(SeqRange { from: 1, to: 3 });
    run.until(102 * H);
    assert_eq!(run.outbox.counts(), (0, 0));
    assert!(run.kept.is_empty());
}

/// A crash at any moment, told from what was kept by then: nothing is lost.
#[test]
fn a_restart_goes_on_where_it_was() {
    for crash in (0..120).map(|n| n * 2 * S + 1) {
        let mut run = Run::new((0..60).map(|n| n * S).collect(), |seq, at| {
            if seq % 7 == 0 && at < 3 * M {
                Answer::Refused
            } else {
                Answer::Taken
            }
        });
        run.until(crash);
        run.restart();
        run.until(H);
        let taken: BTreeSet<u64> = run.taken().into_iter().collect();
        assert_eq!(taken, (1..=60).collect(), "crash after {crash} ms");
        assert_eq!(run.outbox.counts(), (0, 0));
    }
}
